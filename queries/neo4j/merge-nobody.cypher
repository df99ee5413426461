// merge-nobody: makes the two ends of a chain that are no account. Each: [id, chain, 'issued' or 'gone'].
//
// $ends list. By the unique id.
UNWIND $ends AS e
MERGE (n:Nobody {id: e[0]}) ON CREATE SET n.chain = e[1], n.end = e[2]
