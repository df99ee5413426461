// all-coverage: every claim for a single account, in order of the accounts. By the index of `account`.
MATCH (c:Coverage) WHERE c.account > ''
RETURN c.account AS account, c.kind AS kind, c.source AS source, c.assurance AS assurance,
  c.fromBlock AS from_block, c.toBlock AS to_block
