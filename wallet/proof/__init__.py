"""What proves that history was not rewritten: checkpoint files and exported journals.

Needs neither Django nor a database.
"""
