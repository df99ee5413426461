// known-tags: those of these tags that there are. $keys list of texts, distinct. By the unique key.
UNWIND $keys AS key
MATCH (t:Tag {key: key})
RETURN t.account AS account, t.label AS label, t.category AS category, t.source AS source,
  t.confidence AS confidence, t.sourceRank AS source_rank, t.mayStop AS may_stop, t.validFrom AS valid_from,
  t.validTo AS valid_to
