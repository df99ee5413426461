// transfers-by-id: relationships in order of their ids, for checking them against the log.
//
// $after text  $limit integer. By the unique id.
MATCH (a)-[t:TRANSFER]->(b) WHERE t.id > $after
WITH a, t, b ORDER BY t.id LIMIT $limit
RETURN t.id AS id, t.seq AS seq, [t.id, t.time, t.block, t.txIndex, t.asset, t.amount, a.id, b.id, t.signer, t.blockHash, t.flags, t.unordered] AS row
