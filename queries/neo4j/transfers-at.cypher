// transfers-at: all transfers of some moments.
//
// $times list of integers, seconds. By the index of `time`.
UNWIND $times AS time
MATCH (a)-[t:TRANSFER]->(b) WHERE t.time = time
RETURN [t.id, t.time, t.block, t.txIndex, t.asset, t.amount, a.id, b.id, t.signer, t.blockHash, t.flags, t.unordered] AS row
