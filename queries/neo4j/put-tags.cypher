// put-tags: adds tags, or replaces those of the same account, source, category and label. Each: [key, account, label,
// category, source, confidence, source rank, may stop, valid from, valid to].
//
// $tags list. Returns how many were new. By the unique key.
UNWIND $tags AS t
MERGE (n:Tag {key: t[0]})
ON CREATE SET n.account = t[1], n.label = t[2], n.category = t[3], n.source = t[4], n.unlinked = true, n.fresh = $unit
SET n.confidence = t[5], n.sourceRank = t[6], n.mayStop = t[7], n.validFrom = t[8], n.validTo = t[9]
RETURN sum(CASE WHEN n.fresh = $unit THEN 1 ELSE 0 END) AS added
