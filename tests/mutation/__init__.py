"""Plants small mistakes into the money modules and the ledger's SQL.

One at a time, and tells which of them no test notices.
"""
