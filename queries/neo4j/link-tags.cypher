// link-tags: lets addresses show their tags. $keys list of texts. By the unique keys.
UNWIND $keys AS key
MATCH (t:Tag {key: key}) MATCH (a:Address {id: t.account})
MERGE (a)-[:TAGGED]->(t)
REMOVE t.unlinked
