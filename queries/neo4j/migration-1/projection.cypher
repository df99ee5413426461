// projection: through which sequence number the relationships show the log. There is one.
CREATE CONSTRAINT jejak_projection IF NOT EXISTS FOR (p:Projection) REQUIRE p.name IS UNIQUE
