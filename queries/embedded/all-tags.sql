-- all-tags: every tag.
SELECT account, source, category, label, confidence, source_rank, may_stop, valid_from, valid_to
FROM tag ORDER BY account, source, category, label
