// delete-transfers: takes away the relationships of rows that no longer count. Each: [transfer id, sequence number].
//
// $dead list. By the unique id.
UNWIND $dead AS d
CALL (d) { MATCH ()-[t:TRANSFER]->() USING INDEX SEEK t:TRANSFER(id) WHERE t.id = d[0] AND t.seq = d[1] DELETE t }
