// create-burns: draws transfers that were burned, and fees. Each row: [from, to, then the properties in the order below].
//
// $rows list. Returns how many were made: fewer than rows when a node is missing. By the unique ids.
UNWIND $rows AS r
MATCH (a:Address {id: r[0]}) MATCH (b:Nobody {id: r[1]})
CREATE (a)-[:TRANSFER {id: r[2], seq: r[3], time: r[4], block: r[5], txIndex: r[6], tx: r[7], kind: r[8],
  asset: r[9], amount: r[10], amountF: r[11], fromKey: r[12], toKey: r[13], unordered: r[14], signer: r[15],
  blockHash: r[16], flags: r[17]}]->(b)
RETURN count(*) AS made
