"""A clock that can be moved forward, so that what takes three days can be seen in ten seconds."""
