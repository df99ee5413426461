-- all-findings: contradictions between sources.
SELECT chain, block, tx, kind, text FROM finding ORDER BY chain, block, tx, kind, text
