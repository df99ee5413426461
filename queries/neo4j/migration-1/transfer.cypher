// transfer: one relationship per canonical transfer; also finds the transfers of a transaction by the id's beginning.
CREATE CONSTRAINT jejak_transfer IF NOT EXISTS FOR ()-[t:TRANSFER]-() REQUIRE t.id IS UNIQUE
