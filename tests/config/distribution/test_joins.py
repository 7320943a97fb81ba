"""Joins of a distributed database name the player; those of one machine are as they were."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.apps import apps

from config.distribution.joins import TOGETHER, join_by_player, player_of
from config.distribution.tables import BY_PLAYER
from wallet.models import Entry, Transaction, Wallet

TRANSACTIONS = '"wallet_wallet"."player_id" = ("wallet_transaction"."player_id")'


@pytest.fixture
def joined() -> Iterator[None]:
    fields = [
        apps.get_model(model)._meta.get_field(name) for model, names in TOGETHER.items() for name in names
    ]
    join_by_player()
    yield
    for field in fields:
        del field.__dict__["get_extra_restriction"], field.__dict__["get_extra_descriptor_filter"]


def test_join__of_one_machine_is_by_the_id_alone() -> None:
    assert '"player_id" = ' not in str(Transaction.objects.select_related("wallet").query)


@pytest.mark.usefixtures("joined")
def test_join__names_the_player() -> None:
    assert TRANSACTIONS in str(Transaction.objects.select_related("wallet").query)


@pytest.mark.usefixtures("joined")
def test_join__names_the_player_from_the_other_side() -> None:
    told = str(Wallet.objects.filter(transactions__type="sale").query)
    assert '"wallet_wallet"."player_id" = ("wallet_transaction"."player_id")' in told


@pytest.mark.usefixtures("joined")
def test_join__names_the_player_at_each_step() -> None:
    told = str(Entry.objects.filter(transaction__reverses__type="sale").query)
    assert told.count('"player_id" = (') == 2


def test_look_up__names_the_player() -> None:
    assert player_of(SimpleNamespace(player_id=7)) == {"player_id": 7}


def test_together__has_every_reference_between_rows_of_players() -> None:
    tables = {*BY_PLAYER, "wallet_discrepancy", "wallet_inquiry"}
    found = {
        model._meta.label: {
            field.name
            for field in model._meta.concrete_fields
            if field.related_model is not None and field.related_model._meta.db_table in BY_PLAYER
        }
        for model in apps.get_models()
        if model._meta.db_table in tables
    }
    assert {label: names for label, names in found.items() if names} == {
        model: set(names) for model, names in TOGETHER.items()
    }
