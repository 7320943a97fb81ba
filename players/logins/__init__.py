"""The doors for operators: who may log in, for how long, and with which second factor."""
