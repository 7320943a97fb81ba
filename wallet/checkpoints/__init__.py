"""Checkpoints: signed statements, stored outside the database, of what every wallet's chain had come to (docs/checkpoints.md)."""

from wallet.checkpoints.creation import make_checkpoint

__all__ = ["make_checkpoint"]
