// unordered-blocks: which of these blocks hold a transfer whose source did not know its place. Each: "chain block".
//
// $blocks list of texts. By the index of `unordered`.
UNWIND $blocks AS block
CALL (block) { MATCH ()-[t:TRANSFER]->() WHERE t.unordered = block RETURN t.unordered AS found LIMIT 1 }
RETURN found
