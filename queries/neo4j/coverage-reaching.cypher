// coverage-reaching: claims of a chain that reach a block or beyond.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:Coverage) WHERE c.chain = $chain AND c.toBlock >= $from
RETURN c.account AS account, c.kind AS kind, c.source AS source, c.assurance AS assurance,
  c.fromBlock AS from_block, c.toBlock AS to_block
