"""The pages for players in a real browser, on a platform as `make run` starts it."""
