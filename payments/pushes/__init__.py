"""The feed of events, sent to whoever wants it, in its order."""
