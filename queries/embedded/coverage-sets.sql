-- coverage-sets: every claim for many accounts.
SELECT id, chain, kinds, source, assurance, from_block, to_block, accounts FROM coverage_set ORDER BY id
