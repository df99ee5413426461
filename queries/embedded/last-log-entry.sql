-- last-log-entry: where the log ends; no row when it is empty.
SELECT first_sequence, count FROM log ORDER BY first_sequence DESC LIMIT 1
