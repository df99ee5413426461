// delete-document: removes a document of this version; no row when it is another. The lock comes first.
//
// $collection text  $id text  $expected integer. By the unique pair.
MATCH (d:Document {collection: $collection, id: $id})
SET d.lock = true WITH d WHERE d.version = $expected
DELETE d RETURN 1 AS deleted
