// list-documents: documents of a collection in order of their ids.
//
// $collection text  $after text, ids above it  $limit integer. By the unique pair.
MATCH (d:Document) WHERE d.collection = $collection AND d.id > $after
RETURN d.collection AS collection, d.id AS id, d.content AS content
ORDER BY d.collection, d.id LIMIT $limit
