// tag-account: the tags of an account.
CREATE INDEX jejak_tag_account IF NOT EXISTS FOR (t:Tag) ON (t.account)
