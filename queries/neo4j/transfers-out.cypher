// transfers-out: the first transfers out of each account from a time on, in order of time. Each account: [key, time, number].
//
// $accounts list  $limit integer, per account. Returns the number and rows of an account. By the index (fromKey, time)
// alone: naming the node in the pattern would make the planner walk all it has.
UNWIND $accounts AS w
CALL (w) {
  MATCH (a)-[t:TRANSFER]->(b) USING INDEX SEEK t:TRANSFER(fromKey, time)
  WHERE t.fromKey = w[0] AND t.time >= w[1]
  WITH a, t, b ORDER BY t.fromKey, t.time LIMIT $limit
  RETURN collect([t.id, t.time, t.block, t.txIndex, t.asset, t.amount, a.id, b.id, t.signer, t.blockHash, t.flags, t.unordered]) AS rows
}
RETURN w[2] AS number, rows
