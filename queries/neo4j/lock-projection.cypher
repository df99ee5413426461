// lock-projection: makes others who project the log wait until this transaction ends; then reads how far it is.
// By the unique name.
MATCH (p:Projection {name: 'transfers'}) SET p.lock = true WITH p RETURN p.sequence AS sequence
