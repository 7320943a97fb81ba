"""What is known of a row before and after an act: its columns in plain values, and never a secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import BinaryField, Field, ManyToManyField, Model

from lib.clock import timestamp

# Columns that never enter the audit trail: secrets and what opens something, and what others have sent, which
# may hold anything.
SECRET = frozenset(
    {
        *("password", "password_hash", "sealed", "sealed_query_password", "sealed_secret", "hashes"),
        *("token_hash", "page_key"),
        *("sealed_secret", "hashes"),
        *("headers", "body", "ext_params", "theirs"),
    }
)
# A keyed hash of a secret: of it enough to tell two apart.
FINGERPRINT, FINGERPRINT_BYTES = "fingerprint", 4
Value = str | int | bool | list[Any] | dict[str, Any] | None


def snapshot(row: Model) -> dict[str, Value]:
    """The columns of a row, without secrets."""
    taken = {field.attname: plain(field, getattr(row, field.attname)) for field in columns_of(row)}
    for field in row._meta.many_to_many:  # noqa: SLF001 (documented)
        taken[field.name] = names_in(row, field)
    return taken


def stored(row: Model) -> dict[str, Value] | None:
    """`snapshot` of the row as the database has it now; None if it has none."""
    if row.pk is None:
        return None
    # What is left out is not even read: it may be long.
    left_out = set(row._meta.concrete_fields) - set(columns_of(row))  # noqa: SLF001 (documented)
    found = type(row)._base_manager.filter(pk=row.pk).defer(*(field.name for field in left_out)).first()  # noqa: SLF001 (documented)
    return snapshot(found) if found else None


def columns_of(row: Model) -> list["Field[Any, Any]"]:
    """The columns that may enter the audit trail. Of bytes, hashes or bodies, none but a fingerprint."""
    columns = row._meta.concrete_fields  # noqa: SLF001 (documented)
    return [
        field
        for field in columns
        if field.name not in SECRET and (field.name == FINGERPRINT or not isinstance(field, BinaryField))
    ]


def plain(field: "Field[Any, Any]", value: Any) -> Value:
    """A column's value as JSON has it. Times in RFC 3339, bytes in hexadecimal."""
    if field.name == FINGERPRINT:
        return bytes(value)[:FINGERPRINT_BYTES].hex()
    return plain_value(value)


def plain_value(value: Any) -> Value:
    """Any value as JSON has it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain_value(part) for name, part in value.items()}
    return str(value)


def names_in(row: Model, field: "ManyToManyField[Any, Any]") -> list[str]:
    """The rows that a row has in a relation, by their names."""
    return sorted(map(str, getattr(row, field.name).all()))
