// merge-addresses: makes the nodes of accounts that have none. Each: [CAIP-10 id, chain, address].
//
// $addresses list, distinct and sorted, so that two writers never wait for each other in a circle. By the unique id.
UNWIND $addresses AS a
MERGE (n:Address {id: a[0]}) ON CREATE SET n.chain = a[1], n.address = a[2]
