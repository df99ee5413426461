// tag: one per account, source, category and label; `key` is a digest of these.
CREATE CONSTRAINT jejak_tag IF NOT EXISTS FOR (t:Tag) REQUIRE t.key IS UNIQUE
