"""Looks for what people should hear of, though nothing is broken: money, access, doors."""
