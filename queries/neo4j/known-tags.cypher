// known-tags: how many of these tags there are. $keys list of texts, distinct. By the unique key.
UNWIND $keys AS key
MATCH (t:Tag {key: key})
RETURN count(t) AS known
