"""One fault each, as often as is asked: what games were answered meanwhile, and that nothing of it is lost.

`make proofs` has the counts of docs/reliability.md; tests/faults/test_proofs.py has the short forms.
"""
