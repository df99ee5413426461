-- touching-coverage: claims of one source for one account and kind that overlap or touch a block range.
--
-- :account text  :kind text  :source text  :assurance integer  :from integer  :to integer
SELECT from_block, to_block FROM coverage
WHERE account = :account AND kind = :kind AND source = :source AND assurance = :assurance
  AND from_block <= :to + 1 AND to_block >= :from - 1
