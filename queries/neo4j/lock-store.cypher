// lock-store: makes every other writer wait until this transaction ends; then reads, since what was read before the
// lock may be old. By the unique name.
MATCH (s:Store {name: 'jejak'}) SET s.lock = true WITH s 
RETURN s.sequence AS sequence, s.coverageVersion AS coverageVersion, s.tagSum AS tagSum, s.coverageSum AS coverageSum
