"""Backups of the whole database, and the way back from them (docs/production.md)."""
