// read-document: one document. $collection text  $id text. By the unique pair.
MATCH (d:Document {collection: $collection, id: $id})
RETURN d.collection AS collection, d.id AS id, d.version AS version, d.value AS value, d.unit AS unit
