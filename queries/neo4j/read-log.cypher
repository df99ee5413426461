// read-log: entries after a sequence number up to another, in order.
//
// $after integer  $last integer  $limit integer. By the index of `first`.
MATCH (s:Segment) WHERE s.first > $after AND s.first <= $last
RETURN s.first AS first_sequence, s.count AS count, s.type AS type, s.source AS name, s.assurance AS assurance,
  s.checksum AS checksum, s.data AS data, s.unit AS unit
ORDER BY s.first LIMIT $limit
