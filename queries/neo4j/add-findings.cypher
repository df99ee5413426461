// add-findings: notes contradictions between sources, each once. Each: [key, chain, block, tx, kind, text].
//
// $findings list. By the unique key.
UNWIND $findings AS f
MERGE (n:Finding {key: f[0]}) ON CREATE SET n.chain = f[1], n.block = f[2], n.tx = f[3], n.kind = f[4], n.text = f[5]
