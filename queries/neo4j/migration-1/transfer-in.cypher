// transfer-in: what an account received, in order of time.
CREATE INDEX jejak_transfer_in IF NOT EXISTS FOR ()-[t:TRANSFER]-() ON (t.toKey, t.time)
