-- bump-meta: adds one to a counter about the store itself.
--
-- :name text
INSERT INTO meta (name, value) VALUES (:name, '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)
