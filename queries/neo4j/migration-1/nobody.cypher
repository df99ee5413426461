// nobody: the two ends of a chain that are no account: where issued money comes from, where burned money goes.
CREATE CONSTRAINT jejak_nobody IF NOT EXISTS FOR (n:Nobody) REQUIRE n.id IS UNIQUE
