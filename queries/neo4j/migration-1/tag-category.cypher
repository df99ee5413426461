// tag-category: for analysts: all exchanges, all mixers.
CREATE INDEX jejak_tag_category IF NOT EXISTS FOR (t:Tag) ON (t.category)
