// any-node: one row when the database holds anything at all. Reads at most one node.
MATCH (n) RETURN 1 AS found LIMIT 1
