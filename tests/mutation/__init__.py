"""Plants small mistakes into the money modules and the ledger's SQL, one at a time, and tells which of them no test notices."""
