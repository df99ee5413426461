// all-documents: every document of every collection. By the unique pair.
MATCH (d:Document) WHERE d.collection > '' AND d.id > ''
RETURN d.collection AS collection, d.id AS id, d.version AS version, d.value AS value
