// drop-findings: forgets contradictions about orphaned blocks.
//
// $chain text  $from integer. By the index (chain, block).
MATCH (f:Finding) WHERE f.chain = $chain AND f.block >= $from DELETE f
