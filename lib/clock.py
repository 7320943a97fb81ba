"""The platform's one clock: the database's."""

from datetime import UTC, datetime

from django.db import connection
from django.db.models import DateTimeField, Func


class WalletNow(Func):
    """`wallet_now()` in a query."""

    function = "wallet_now"
    arity = 0
    output_field = DateTimeField()


def now() -> datetime:
    """The time that the database says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT wallet_now()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def timestamp(moment: datetime) -> str:
    """A moment as answers show it: RFC 3339, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_words(moment: datetime) -> str:
    """A moment as operators read it: to the second, UTC and saying so."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
