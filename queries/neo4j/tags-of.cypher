// tags-of: the tags of some accounts. $accounts list of texts. By the index of `account`.
UNWIND $accounts AS account
MATCH (t:Tag {account: account})
RETURN t.account AS account, t.label AS label, t.category AS category, t.source AS source,
  t.confidence AS confidence, t.sourceRank AS source_rank, t.mayStop AS may_stop, t.validFrom AS valid_from,
  t.validTo AS valid_to
