"""A history for a demonstration: weeks of play and payments, through the ledger and by the callbacks' way.

The same seed, until the same moment, on the same database makes the same: who plays, what happens, when, and
every id that the platform gives, and so the journal with its hashes. Secrets are never the same: tokens,
signatures, and what hangs on them.
"""
