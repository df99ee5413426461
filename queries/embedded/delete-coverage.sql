-- delete-coverage: removes one claim.
--
-- :account text  :kind text  :source text  :assurance integer  :from integer
DELETE FROM coverage
WHERE account = :account AND kind = :kind AND source = :source AND assurance = :assurance AND from_block = :from
