"""A game backend that plays against a running platform.

It keeps its own book, and checks every answer against it.
"""
