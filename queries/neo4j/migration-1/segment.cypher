// segment: the log, in the order of its sequence numbers.
CREATE CONSTRAINT jejak_segment IF NOT EXISTS FOR (s:Segment) REQUIRE s.first IS UNIQUE
