// tag-unlinked: tags whose relationship to the address is still to be made; only those have the property.
CREATE INDEX jejak_tag_unlinked IF NOT EXISTS FOR (t:Tag) ON (t.unlinked)
