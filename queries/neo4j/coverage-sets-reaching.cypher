// coverage-sets-reaching: digests of claims for many accounts that reach a block or beyond, and where they begin.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:CoverageSet) WHERE c.chain = $chain AND c.toBlock >= $from
RETURN c.digest AS digest, c.fromBlock AS from_block
