-- add-finding: notes a contradiction between sources; the same again changes nothing.
--
-- :chain text  :block integer  :tx text  :kind text  :text text
INSERT INTO finding (chain, block, tx, kind, text) VALUES (:chain, :block, :tx, :kind, :text) ON CONFLICT DO NOTHING
