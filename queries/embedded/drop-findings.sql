-- drop-findings: forgets contradictions about orphaned blocks.
--
-- :chain text  :from integer
DELETE FROM finding WHERE chain = :chain AND block >= :from
