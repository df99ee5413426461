// transfer-out: what an account sent, in order of time.
CREATE INDEX jejak_transfer_out IF NOT EXISTS FOR ()-[t:TRANSFER]-() ON (t.fromKey, t.time)
