// all-documents: every document of every collection. By the unique pair.
MATCH (d:Document) WHERE d.collection > '' AND d.id > ''
RETURN d.collection AS collection, d.id AS id, d.content AS content
