// document: small versioned records by collection and id, in order of their ids.
CREATE CONSTRAINT jejak_document IF NOT EXISTS FOR (d:Document) REQUIRE (d.collection, d.id) IS UNIQUE
