"""How well a game is connected: what went wrong, how long calls took, and what is still to be tried."""
