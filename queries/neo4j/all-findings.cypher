// all-findings: contradictions between sources. By the unique key.
MATCH (f:Finding) WHERE f.key > '' RETURN f.chain AS chain, f.block AS block, f.tx AS tx, f.kind AS kind, f.text AS text
