-- cut-coverage-sets: shortens claims for many accounts that reach a block or beyond.
--
-- :chain text  :from integer
UPDATE coverage_set SET to_block = :from - 1, digest = digest || ' cut ' || :from
WHERE chain = :chain AND to_block >= :from AND from_block < :from
