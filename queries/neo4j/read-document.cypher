// read-document: one document. $collection text  $id text. By the unique pair.
MATCH (d:Document {collection: $collection, id: $id})
RETURN d.collection AS collection, d.id AS id, d.content AS content, d.unit AS unit
