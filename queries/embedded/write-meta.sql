-- write-meta: sets a value about the store itself.
--
-- :name text  :value text
INSERT INTO meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
