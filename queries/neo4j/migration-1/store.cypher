// store: what the whole store is and how far it reaches. There is one.
CREATE CONSTRAINT jejak_store IF NOT EXISTS FOR (s:Store) REQUIRE s.name IS UNIQUE
