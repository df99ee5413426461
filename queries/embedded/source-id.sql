-- source-id: number of a source.
--
-- :name text  :assurance integer
SELECT id FROM source WHERE name = :name AND assurance = :assurance
