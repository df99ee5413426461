-- put-tag: adds a tag, or replaces the one of the same account, source, category and label.
--
-- :account text  :source text  :category text  :label text  :confidence integer  :rank integer  :mayStop integer
-- :validFrom integer or null  :validTo integer or null
INSERT INTO tag (account, source, category, label, confidence, source_rank, may_stop, valid_from, valid_to)
VALUES (:account, :source, :category, :label, :confidence, :rank, :mayStop, :validFrom, :validTo)
ON CONFLICT (account, source, category, label) DO UPDATE SET
  confidence = excluded.confidence, source_rank = excluded.source_rank, may_stop = excluded.may_stop,
  valid_from = excluded.valid_from, valid_to = excluded.valid_to
