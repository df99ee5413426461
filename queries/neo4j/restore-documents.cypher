// restore-documents: writes documents with the versions they had elsewhere. Each: [collection, id, version, content];
// see create-document.
//
// $documents list. By the unique pair.
UNWIND $documents AS d
MERGE (n:Document {collection: d[0], id: d[1]}) SET n.version = d[2], n.content = d[3]
