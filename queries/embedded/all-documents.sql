-- all-documents: every document of every collection.
SELECT collection, id, version, value FROM document ORDER BY collection, id
