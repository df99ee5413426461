// create-document: writes version 1 where there is none; no row where there is. The lock comes before the question:
// what was read before it may be old.
//
// $collection text  $id text  $content text: version, checksum, JSON in one, since two properties that are read while
// they are written may be of two versions  $unit text. By the unique pair.
MERGE (d:Document {collection: $collection, id: $id}) ON CREATE SET d.version = 0
SET d.lock = true WITH d WHERE d.version = 0
SET d.version = 1, d.content = $content, d.unit = $unit
RETURN d.version AS version
