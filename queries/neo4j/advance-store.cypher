// advance-store: the log ends here now; counts changes of tags and coverage. Only under the lock.
//
// $sequence $coverage $tags $coverageSum $tagSum integers. By the unique name.
MATCH (s:Store {name: 'jejak'})
SET s.sequence = $sequence, s.coverageVersion = s.coverageVersion + $coverage,
  s.tagVersion = s.tagVersion + $tags, s.coverageSum = $coverageSum, s.tagSum = $tagSum
