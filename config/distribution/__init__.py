"""Divides the database's tables over several machines, with Citus (docs/scaling.md)."""
