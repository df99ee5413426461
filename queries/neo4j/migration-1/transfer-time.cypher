// transfer-time: all transfers of a time span.
CREATE INDEX jejak_transfer_time IF NOT EXISTS FOR ()-[t:TRANSFER]-() ON (t.time)
