"""An operator's name is ASCII, whoever writes it: none looks like another's."""

from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from players.models import Operator
from tests.support.callers import unique

Owner = psycopg.Connection[Any]
# A Cyrillic and a Greek letter, an accent, a full-width letter, a zero-width joiner, a line's end.
LOOKALIKES = ("\u0430dmin", "r\u03bfot", "admi\u0144", "\uff41dmin", "ad\u200dmin", "admin\n")


@pytest.mark.parametrize("name", LOOKALIKES)
def test_createsuperuser__takes_ascii_only(name: str) -> None:
    with pytest.raises(CommandError, match="valid username"):
        call_command("createsuperuser", username=name, email="", interactive=False, stdout=StringIO())
    assert not Operator.objects.filter(username=name).exists()


@pytest.mark.parametrize("name", LOOKALIKES)
def test_operator__is_made_under_an_ascii_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Operator.objects.create_user(name)
    with pytest.raises(IntegrityError, match="an operator's name"), transaction.atomic():
        Operator.objects.create(username=name)
    made = Operator.objects.create_user(unique("anna.b+c@d_e-"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Operator.objects.filter(pk=made.pk).update(username=name)


def test_operator__of_an_earlier_version_can_still_log_in(owner: Owner) -> None:
    """The name stays until somebody changes it."""
    made = Operator.objects.create_user(unique("old"))
    name = unique("j\u00fcrgen")
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE players_operator SET username = %s WHERE id = %s", [name, made.pk])
    old = Operator.objects.get(username=name)
    old.last_login = old.date_joined
    old.save()
    assert Operator.objects.get(pk=made.pk).last_login == old.date_joined
    # Whoever has it can be deactivated, and be given an ASCII name but no other of this kind.
    old.is_active = False
    old.full_clean()
    old.username = unique("j\u00fcrgen")
    with pytest.raises(ValidationError, match="valid username"):
        old.full_clean()
    old.username = unique("juergen")
    old.full_clean()
