// cut-coverage-sets: shortens claims for many accounts that reach a block or beyond.
//
// $chain text  $from integer. By the index (chain, toBlock).
MATCH (c:CoverageSet) WHERE c.chain = $chain AND c.toBlock >= $from AND c.fromBlock < $from
SET c.toBlock = $from - 1, c.digest = c.digest + ' cut ' + toString($from)
