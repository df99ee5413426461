// hold-document: the version of a document, which nobody changes until this transaction ends. The lock comes before the
// question: what was read before it may be old.
//
// $collection text  $id text. By the unique pair.
MATCH (d:Document {collection: $collection, id: $id})
SET d.lock = true WITH d
RETURN d.version AS version
