"""The other direction: a wallet that misbehaves by script, for a game's engineers to test against."""
