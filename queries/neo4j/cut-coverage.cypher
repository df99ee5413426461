// cut-coverage: shortens claims of a chain that reach a block or beyond.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:Coverage) WHERE c.chain = $chain AND c.toBlock >= $from AND c.fromBlock < $from SET c.toBlock = $from - 1
