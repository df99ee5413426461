-- count-tags: how many tags there are.
SELECT count(*) AS count FROM tag
