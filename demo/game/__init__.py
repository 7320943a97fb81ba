"""Starfall: a game backend in a process of its own.

It calls the platform over HTTP, and knows nothing else of it.
"""
