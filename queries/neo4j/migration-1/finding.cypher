// finding: contradictions between sources; `key` is a digest of all that one says.
CREATE CONSTRAINT jejak_finding IF NOT EXISTS FOR (f:Finding) REQUIRE f.key IS UNIQUE
