// show-flag: lets an address show that it is flagged, by label and properties, as its document says.
//
// $account $chain $address $reason $source $at $state texts. By the unique id.
MERGE (a:Address {id: $account}) ON CREATE SET a.chain = $chain, a.address = $address
SET a:Flagged, a.flagReason = $reason, a.flagSource = $source, a.flaggedAt = $at, a.flagState = $state
