// drop-coverage-sets: removes claims for many accounts that begin at a block or above.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:CoverageSet) WHERE c.chain = $chain AND c.toBlock >= $from AND c.fromBlock >= $from DELETE c
