// show-projection: readers may rely on the relationships up to here. In a transaction of its own, after those that drew
// them are over: while a transaction is being applied, readers see some of it.
//
// $through integer. By the unique name.
MATCH (p:Projection {name: 'transfers'}) SET p.lock = true WITH p WHERE p.shown < $through AND p.sequence >= $through
SET p.shown = $through
