"""What acts record of a row: all of it but secrets."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps

from payments.models import Secret
from players.audit_trail.snapshots import columns_of, plain, plain_value, snapshot, stored
from players.models import Game, Operator
from tests.support.callers import unique

MODELS = [
    model for app in ("players", "wallet", "payments") for model in apps.get_app_config(app).get_models()
]
SUSPECT = re.compile("password|secret|sealed|token|hash|key|headers|body|ext_params")
# Names that sound like a secret and are none.
HARMLESS = {"nickname_key", "key_id", "key"}


@pytest.mark.parametrize("model", MODELS)
def test_snapshot__takes_no_column_that_may_hold_a_secret(model: Any) -> None:
    taken = {field.name for field in columns_of(model())}
    assert {name for name in taken if SUSPECT.search(name)} <= HARMLESS


def test_snapshot__of_a_secret_has_the_beginning_of_its_fingerprint() -> None:
    row = Secret(purpose="callback", sealed="abc", fingerprint=bytes(range(32)))
    taken = snapshot(row)
    assert (taken["fingerprint"], taken["purpose"], "sealed" in taken) == ("00010203", "callback", False)


def test_snapshot__has_relations_by_name_and_plain_values() -> None:
    made = Operator.objects.create(username=unique("op"))
    assert stored(made) == snapshot(Operator.objects.get(pk=made.pk))
    assert snapshot(made)["groups"] == []
    assert (stored(Game()), stored(Operator(pk=2**40))) == (None, None)
    at = datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)
    assert plain_value([at, 1, True, None, {"a": at}]) == [
        *("2026-01-02T03:04:05.006Z", 1, True, None),
        {"a": "2026-01-02T03:04:05.006Z"},
    ]
    assert plain(Operator._meta.get_field("is_active"), False) is False
