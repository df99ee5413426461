// unlinked-tags: some tags whose address does not show them yet. $limit integer. By the index of `unlinked`.
MATCH (t:Tag) WHERE t.unlinked = true RETURN t.key AS key, t.account AS account LIMIT $limit
