// update-document: compare-and-set; no row when the version is another. The lock comes before the comparison: the
// obvious form without it loses a third of the writes it acknowledges.
//
// $collection text  $id text  $expected integer  $content text, see create-document
// $unit text. By the unique pair.
MATCH (d:Document {collection: $collection, id: $id})
SET d.lock = true WITH d WHERE d.version = $expected
SET d.version = $expected + 1, d.content = $content, d.unit = $unit
RETURN d.version AS version
