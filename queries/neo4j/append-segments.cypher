// append-segments: writes log entries. Each: [first sequence number, count, type, source, assurance, checksum, bytes,
// unit of work].
//
// $entries list. Creates only; the unique `first` refuses a number that is taken.
UNWIND $entries AS e
CREATE (:Segment {first: e[0], count: e[1], type: e[2], source: e[3], assurance: e[4], checksum: e[5], data: e[6],
  unit: e[7]})
