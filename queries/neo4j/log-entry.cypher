// log-entry: the entry that holds a sequence number.
//
// $sequence integer. By the index of `first`, backwards, one entry.
MATCH (s:Segment) WHERE s.first <= $sequence
RETURN s.first AS first_sequence, s.count AS count, s.type AS type, s.source AS name, s.assurance AS assurance,
  s.checksum AS checksum, s.data AS data
ORDER BY s.first DESC LIMIT 1
