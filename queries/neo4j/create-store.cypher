// create-store: makes the two nodes of a new store; changes nothing where they are.
//
// $id text  $schema integer. By the unique name.
MERGE (s:Store {name: 'jejak'})
ON CREATE SET s.id = $id, s.schema = $schema, s.sequence = 0, s.tagVersion = 0, s.coverageVersion = 0,
  s.tagSum = 0, s.coverageSum = 0
MERGE (p:Projection {name: 'transfers'}) ON CREATE SET p.sequence = 0, p.shown = 0
