// log-entries: the entries that begin at these sequence numbers.
//
// $firsts list of integers. By the index of `first`.
UNWIND $firsts AS first
MATCH (s:Segment {first: first})
RETURN s.first AS first_sequence, s.count AS count, s.type AS type, s.source AS name, s.assurance AS assurance,
  s.checksum AS checksum, s.data AS data
