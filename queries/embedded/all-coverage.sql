-- all-coverage: every claim for a single account.
SELECT account, kind, source, assurance, from_block, to_block FROM coverage
ORDER BY account, kind, assurance DESC, source, from_block
