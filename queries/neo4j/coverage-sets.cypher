// coverage-sets: the claims for many accounts, in the order in which they were made. By the digest.
MATCH (c:CoverageSet) WHERE c.digest > ''
RETURN c.digest AS digest, c.chain AS chain, c.kinds AS kinds, c.source AS source, c.assurance AS assurance, c.fromBlock AS from_block,
  c.toBlock AS to_block, c.accounts AS accounts, c.number AS number
