// drop-coverage: removes claims of a chain that begin at a block or above.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:Coverage) WHERE c.chain = $chain AND c.toBlock >= $from AND c.fromBlock >= $from DELETE c
