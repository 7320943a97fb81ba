"""The end of an id, which lists show: an index of it finds the row by what an operator copied there."""

from django.db.models import CharField, Func

# Hexadecimal digits of the random part of a UUIDv7.
END_LENGTH = 8


class IdEnd(Func):
    """The last `END_LENGTH` digits of a UUID, compared as bytes."""

    template = f'right((%(expressions)s)::text, {END_LENGTH}) COLLATE "C"'
    arity = 1
    output_field = CharField()
