// coverage-set: claims for many accounts, by a digest of what they say.
CREATE CONSTRAINT jejak_coverage_set IF NOT EXISTS FOR (c:CoverageSet) REQUIRE c.digest IS UNIQUE
