-- tags-of: tags of one account.
--
-- :account text
SELECT account, source, category, label, confidence, source_rank, may_stop, valid_from, valid_to
FROM tag WHERE account = :account ORDER BY source, category, label
