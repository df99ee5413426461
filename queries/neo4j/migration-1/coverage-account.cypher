// coverage-account: the claims for an account.
CREATE INDEX jejak_coverage_account IF NOT EXISTS FOR (c:Coverage) ON (c.account)
