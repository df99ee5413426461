-- restore-document: writes a document with the version it had elsewhere.
--
-- :collection text  :id text  :version integer  :value text, JSON
INSERT OR REPLACE INTO document (collection, id, version, value) VALUES (:collection, :id, :version, :value)
