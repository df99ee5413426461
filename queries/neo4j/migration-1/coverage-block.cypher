// coverage-block: claims of a chain that reach a block.
CREATE INDEX jejak_coverage_block IF NOT EXISTS FOR (c:Coverage) ON (c.chain, c.toBlock)
