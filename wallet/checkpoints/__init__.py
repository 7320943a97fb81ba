"""Checkpoints: signed statements of what every wallet's chain had come to (docs/checkpoints.md).

They are stored outside the database.
"""

from wallet.checkpoints.creation import make_checkpoint

__all__ = ["make_checkpoint"]
