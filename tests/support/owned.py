"""Rows as the database's owner sees them, to whom no right and no trigger applies: for tests that prepare or
clear away what the application may not.
"""

from typing import TypeVar

from django.db import connections
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def owned(model: type[Row]) -> "QuerySet[Row]":
    """All rows of a model in the tests' database, by a connection that nobody has ended meanwhile."""
    owner = connections["owner"]
    if owner.connection is not None and not owner.is_usable():
        owner.close()
    return model._default_manager.using("owner")
