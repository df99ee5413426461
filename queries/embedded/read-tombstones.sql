-- read-tombstones: log entries of tombstones, in order. Goes through the log without touching its rows: some thousand entries for tens of millions of transfers.
--
-- :type integer  the type of such entries
-- :last integer  sequence number up to which to read
SELECT first_sequence, count, type, name, assurance, checksum, data
FROM log JOIN source ON source.id = log.source
WHERE type = :type AND first_sequence <= :last
ORDER BY first_sequence
