-- list-documents: documents of a collection in order of their ids.
--
-- :collection text  :after text  ids above it  :limit integer
SELECT collection, id, version, value FROM document
WHERE collection = :collection AND id > :after ORDER BY id LIMIT :limit
