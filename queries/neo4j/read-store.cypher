// read-store: what the store is and how far it and its relationships reach. By the unique names.
MATCH (s:Store {name: 'jejak'})
OPTIONAL MATCH (p:Projection {name: 'transfers'})
RETURN s.id AS id, s.schema AS schema, s.sequence AS sequence, s.tagVersion AS tagVersion,
  s.coverageVersion AS coverageVersion, s.tagSum AS tagSum, s.coverageSum AS coverageSum, p.shown AS shown
