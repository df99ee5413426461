-- add-source: numbers a source.
--
-- :name text  :assurance integer
INSERT INTO source (name, assurance) VALUES (:name, :assurance) RETURNING id
