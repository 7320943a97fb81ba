"""Rows as the database's owner sees them, to whom no right and no trigger applies: for tests that prepare or
clear away what the application may not.
"""

from typing import TypeVar

from django.db import OperationalError, connections
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def owned(model: type[Row]) -> "QuerySet[Row]":
    """All rows of a model in the tests' database, by a connection that nobody has ended meanwhile."""
    owner = connections["owner"]
    try:
        with owner.cursor() as cursor:
            # A test may have set the triggers to work, to see what they do.
            cursor.execute("RESET session_replication_role")
    except OperationalError:
        owner.close()
    return model._default_manager.using("owner")
