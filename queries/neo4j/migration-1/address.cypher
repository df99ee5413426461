// address: one node per account; also finds it by its CAIP-10 id.
CREATE CONSTRAINT jejak_address IF NOT EXISTS FOR (a:Address) REQUIRE a.id IS UNIQUE
