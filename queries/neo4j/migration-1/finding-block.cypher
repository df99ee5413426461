// finding-block: findings of a chain from a block on.
CREATE INDEX jejak_finding_block IF NOT EXISTS FOR (f:Finding) ON (f.chain, f.block)
