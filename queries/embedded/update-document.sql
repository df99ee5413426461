-- update-document: compare-and-set; changes no row when the version is another.
--
-- :collection text  :id text  :expected integer  :value text
UPDATE document SET version = version + 1, value = :value
WHERE collection = :collection AND id = :id AND version = :expected
