// transfers-of-transactions: all transfers of some transactions.
//
// $transactions list of texts "chain:transaction:", with which the ids of their transfers begin. By the unique id.
UNWIND $transactions AS name
MATCH (a)-[t:TRANSFER]->(b) WHERE t.id STARTS WITH name
RETURN [t.id, t.time, t.block, t.txIndex, t.asset, t.amount, a.id, b.id, t.signer, t.blockHash, t.flags, t.unordered] AS row
