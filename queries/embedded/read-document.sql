-- read-document: one document.
--
-- :collection text  :id text
SELECT collection, id, version, value FROM document WHERE collection = :collection AND id = :id
