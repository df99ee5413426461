-- cut-coverage: shortens claims of a chain that reach a block or beyond. Reads a range of the primary key.
--
-- :low text  the chain and a colon: its accounts begin with it  :high text  the chain and a semicolon
-- :from integer
UPDATE coverage SET to_block = :from - 1
WHERE account >= :low AND account < :high AND to_block >= :from AND from_block < :from
