// put-tags: adds tags, or replaces those of the same account, source, category and label. Each: [key, account, label,
// category, source, confidence, source rank, may stop, valid from, valid to].
//
// $tags list. By the unique key. The label is indexed by nothing: it may be of any length.
UNWIND $tags AS t
MERGE (n:Tag {key: t[0]})
ON CREATE SET n.account = t[1], n.label = t[2], n.category = t[3], n.source = t[4], n.unlinked = true
SET n.confidence = t[5], n.sourceRank = t[6], n.mayStop = t[7], n.validFrom = t[8], n.validTo = t[9]
