-- log-entry: one log entry by its first sequence number.
--
-- :first integer
SELECT first_sequence, count, type, name, assurance, checksum, data
FROM log JOIN source ON source.id = log.source
WHERE first_sequence = :first
