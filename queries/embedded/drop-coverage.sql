-- drop-coverage: removes claims of a chain that begin at a block or above. Reads a range of the primary key.
--
-- :low text  the chain and a colon: its accounts begin with it  :high text  the chain and a semicolon
-- :from integer
DELETE FROM coverage WHERE account >= :low AND account < :high AND from_block >= :from
