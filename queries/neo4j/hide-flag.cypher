// hide-flag: the address is not flagged any more. $account text. By the unique id.
MATCH (a:Address {id: $account})
REMOVE a:Flagged, a.flagReason, a.flagSource, a.flaggedAt, a.flagState
