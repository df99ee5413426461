-- coverage-of: claims for one account.
--
-- :account text
SELECT account, kind, source, assurance, from_block, to_block FROM coverage WHERE account = :account
ORDER BY kind, assurance DESC, source, from_block
