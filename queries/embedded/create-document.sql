-- create-document: adds a document that must not exist yet; changes no row when it does.
--
-- :collection text  :id text  :value text
INSERT INTO document (collection, id, version, value) VALUES (:collection, :id, 1, :value)
ON CONFLICT (collection, id) DO NOTHING
