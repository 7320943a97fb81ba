"""Months of the journal that lie in files instead of the database (docs/archive.md)."""
