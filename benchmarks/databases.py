"""Databases of our own on the durable server that the launcher started,
made for one run and dropped after it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

# With one of these off, a commit is not on the disk when it is answered.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class CannotMeasure(Exception):
    """Why there is nothing to show, as a sentence for the person who asked."""


def address(name: str, *, owner: bool = False) -> str:
    """The URL of the database `name` on the server of the environment,
    as the application's role or as the owner.
    """
    variable = "DATABASE_OWNER_URL" if owner else "DATABASE_URL"
    if variable not in os.environ:
        raise CannotMeasure(f"{variable} is not set: start this with `make bench` or `make bench-growth`.")
    return urlunsplit(urlsplit(os.environ[variable])._replace(path=f"/{name}"))


def app_role() -> str:
    """The role that the application connects as."""
    return str(conninfo_to_dict(address("postgres"))["user"])


def connect(name: str, *, owner: bool = False) -> psycopg.Connection:
    """A connection that commits each statement."""
    return psycopg.connect(address(name, owner=owner), autocommit=True)


def shown(connection: "psycopg.Connection[Any]", setting: str) -> str:
    """A setting of the server."""
    row = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting))).fetchone()
    return str(row[0]) if row else ""


def require_durable(name: str) -> dict[str, str]:
    """The server's version and settings as the application's role finds them.
    Raises CannotMeasure where a commit could be lost.
    """
    with connect(name) as connection:
        found = {setting: shown(connection, setting) for setting in DURABLE}
        version = str(connection.info.parameter_status("server_version"))
    off = [setting for setting, value in found.items() if value != "on"]
    if off:
        raise CannotMeasure(
            f"{', '.join(off)} must be on: a speed that loses money with the machine is not worth measuring."
        )
    return {"postgresql": version, **found}


@contextmanager
def database(name: str, template: str = "template0") -> Iterator[str]:
    """A copy of `template`, which the application's role may use but, as in production, does not own;
    dropped at the end.
    """
    create(name, template)
    try:
        yield name
    finally:
        with connect("postgres", owner=True) as connection:
            drop(connection, name)


def create(name: str, template: str = "template0") -> None:
    """Makes a database anew, which stays."""
    with connect("postgres", owner=True) as connection:
        drop(connection, name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def let_app_create(name: str) -> None:
    """For what is not the platform: its tables belong to the application's role."""
    with connect(name, owner=True) as connection:
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(app_role())))


def checkpoint() -> None:
    """Writes everything down now, so that one measurement does not pay for what happened before it."""
    with connect("postgres", owner=True) as connection:
        connection.execute("CHECKPOINT")
