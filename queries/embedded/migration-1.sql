-- migration-1: makes the tables of an empty store.
--
-- log: the append-only log. One row holds one batch of transfers (type 0) or tombstones (type 1) as bytes; its
-- rows have the sequence numbers first_sequence … first_sequence + count - 1. Nothing here is ever updated.
-- coverage: one claim for one account. coverage_set: one claim for many accounts, given as JSON.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  assurance INTEGER NOT NULL,
  UNIQUE (name, assurance)
) STRICT;
CREATE TABLE log (
  first_sequence INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  type INTEGER NOT NULL,
  source INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE coverage (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  assurance INTEGER NOT NULL,
  from_block INTEGER NOT NULL,
  to_block INTEGER NOT NULL,
  PRIMARY KEY (account, kind, source, assurance, from_block)
) WITHOUT ROWID, STRICT;
CREATE TABLE coverage_set (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  chain TEXT NOT NULL,
  kinds TEXT NOT NULL,
  source TEXT NOT NULL,
  assurance INTEGER NOT NULL,
  from_block INTEGER NOT NULL,
  to_block INTEGER NOT NULL,
  accounts TEXT NOT NULL
) STRICT;
CREATE TABLE tag (
  account TEXT NOT NULL,
  source TEXT NOT NULL,
  category TEXT NOT NULL,
  label TEXT NOT NULL,
  confidence INTEGER NOT NULL,
  source_rank INTEGER NOT NULL,
  may_stop INTEGER NOT NULL,
  valid_from INTEGER,
  valid_to INTEGER,
  PRIMARY KEY (account, source, category, label)
) WITHOUT ROWID, STRICT;
CREATE TABLE document (
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (collection, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE finding (
  chain TEXT NOT NULL,
  block INTEGER NOT NULL,
  tx TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (chain, block, tx, kind, text)
) WITHOUT ROWID, STRICT;
