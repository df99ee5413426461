// coverage: one claim per account, kind, source, assurance and first block; `key` is a digest of these.
CREATE CONSTRAINT jejak_coverage IF NOT EXISTS FOR (c:Coverage) REQUIRE c.key IS UNIQUE
