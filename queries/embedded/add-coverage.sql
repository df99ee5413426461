-- add-coverage: adds one claim.
--
-- :account text  :kind text  :source text  :assurance integer  :from integer  :to integer
INSERT INTO coverage (account, kind, source, assurance, from_block, to_block)
VALUES (:account, :kind, :source, :assurance, :from, :to)
