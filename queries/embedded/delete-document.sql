-- delete-document: removes a document of a known version; changes no row when the version is another.
--
-- :collection text  :id text  :expected integer
DELETE FROM document WHERE collection = :collection AND id = :id AND version = :expected
