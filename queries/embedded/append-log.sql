-- append-log: adds one entry at the end of the log.
--
-- :first integer  :count integer  :type integer  :source integer  :checksum integer  :data blob
INSERT INTO log (first_sequence, count, type, source, checksum, data)
VALUES (:first, :count, :type, :source, :checksum, :data)
