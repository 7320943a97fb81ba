"""Callbacks that were genuine before something was changed: none of them may count, and none may break us (contract 4.2, rule 1)."""
