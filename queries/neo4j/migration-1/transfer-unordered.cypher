// transfer-unordered: blocks with transfers whose source did not know their place; only those have the property.
CREATE INDEX jejak_transfer_unordered IF NOT EXISTS FOR ()-[t:TRANSFER]-() ON (t.unordered)
