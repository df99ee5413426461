// coverage-set-block: such claims of a chain that reach a block.
CREATE INDEX jejak_coverage_set_block IF NOT EXISTS FOR (c:CoverageSet) ON (c.chain, c.toBlock)
