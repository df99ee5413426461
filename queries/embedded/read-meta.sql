-- read-meta: a value about the store itself.
--
-- :name text
SELECT value FROM meta WHERE name = :name
