"""Migrations of the demonstration: they run only where DEMO is on."""
