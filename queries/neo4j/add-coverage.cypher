// add-coverage: writes claims. Each: [key, account, chain, kind, source, assurance, first block, last block].
//
// $claims list. By the unique key.
UNWIND $claims AS k
MERGE (c:Coverage {key: k[0]})
SET c.account = k[1], c.chain = k[2], c.kind = k[3], c.source = k[4], c.assurance = k[5], c.fromBlock = k[6],
  c.toBlock = k[7]
