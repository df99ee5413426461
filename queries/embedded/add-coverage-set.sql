-- add-coverage-set: adds a claim for many accounts; the same claim again changes nothing.
--
-- :digest text  :chain text  :kinds text  :source text  :assurance integer  :from integer  :to integer  :accounts text
INSERT INTO coverage_set (digest, chain, kinds, source, assurance, from_block, to_block, accounts)
VALUES (:digest, :chain, :kinds, :source, :assurance, :from, :to, :accounts)
ON CONFLICT (digest) DO NOTHING
