-- read-log: log entries after a sequence number, in order. Seeks the primary key.
--
-- :after integer  sequence number; entries that begin above it
-- :limit integer  most entries to return
SELECT first_sequence, count, type, name, assurance, checksum, data
FROM log JOIN source ON source.id = log.source
WHERE first_sequence > :after
ORDER BY first_sequence
LIMIT :limit
