// coverage-of: the claims for some accounts.
//
// $accounts list of texts. By the index of `account`.
UNWIND $accounts AS account
MATCH (c:Coverage {account: account})
RETURN c.account AS account, c.kind AS kind, c.source AS source, c.assurance AS assurance,
  c.fromBlock AS from_block, c.toBlock AS to_block
