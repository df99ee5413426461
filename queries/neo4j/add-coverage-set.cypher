// add-coverage-set: writes a claim for many accounts, once.
//
// $digest $chain $kinds $source texts  $assurance $from $to $number integers  $accounts list of addresses without the
// chain. By the digest.
MERGE (c:CoverageSet {digest: $digest})
ON CREATE SET c.chain = $chain, c.kinds = $kinds, c.source = $source, c.assurance = $assurance, c.fromBlock = $from,
  c.toBlock = $to, c.accounts = $accounts, c.number = $number
RETURN c.number = $number AS made
