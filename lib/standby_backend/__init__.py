"""Django's PostgreSQL, for a server that nobody has to wait for."""
