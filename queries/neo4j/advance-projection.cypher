// advance-projection: the relationships show the log up to here. $sequence integer. By the unique name.
MATCH (p:Projection {name: 'transfers'}) SET p.sequence = $sequence
