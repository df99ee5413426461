// delete-transfers: takes away the relationships of rows that no longer count. Each: [transfer id, sequence number].
//
// $dead list. By the unique id.
UNWIND $dead AS d
CALL (d) { MATCH ()-[t:TRANSFER {id: d[0]}]->() WHERE t.seq = d[1] DELETE t }
