"""A server with planted bugs: the real one, in which `/planted/NAME/…` switches one of them on.

Kept here, and never in the platform: each must turn a check of the kit red.
"""
