// any-unordered: one row when any transfer's source did not know its place. By the index of `unordered`, one entry.
MATCH ()-[t:TRANSFER]->() WHERE t.unordered > '' RETURN 1 AS found LIMIT 1
