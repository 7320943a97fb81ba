"""Payment providers: one module for each scheme, all of the shape that `protocol.py` says."""
