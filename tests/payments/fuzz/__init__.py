"""Callbacks that were genuine before something was changed (contract 4.2, rule 1).

None of them may count, and none may break us.
"""
