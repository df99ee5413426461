// await-indexes: returns when every index is online. $seconds integer
CALL db.awaitIndexes($seconds)
