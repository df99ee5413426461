// delete-coverage: removes claims that are part of longer ones now. $keys list of texts. By the unique key.
UNWIND $keys AS key
CALL (key) { MATCH (c:Coverage {key: key}) DELETE c }
