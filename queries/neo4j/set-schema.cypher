// set-schema: notes that the migrations up to a number are done. $schema integer. By the unique name.
MATCH (s:Store {name: 'jejak'}) SET s.schema = $schema
