-- drop-coverage-sets: removes claims for many accounts that begin at a block or above.
--
-- :chain text  :from integer
DELETE FROM coverage_set WHERE chain = :chain AND from_block >= :from
