"""Files of games and providers are compared with the ledger, row by row."""
