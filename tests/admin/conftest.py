"""Browsers of operators, and a player to whom something of every kind has happened."""

from typing import Any

import pytest
from django.test import Client

from players.ids import new_id
from players.models import Operator
from tests.admin.pages import REGISTERED, operator, signed_in
from tests.world import Seat, unique


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    """Pages are made without `collectstatic`."""
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@pytest.fixture
def boss(database: None) -> Operator:
    return operator(is_superuser=True)


@pytest.fixture
def client(boss: Operator) -> Client:
    """A superuser's browser."""
    return signed_in(boss)


@pytest.fixture
def viewer(database: None) -> Client:
    """Somebody who may see everything and do nothing."""
    return signed_in(operator(*[f"{model._meta.app_label}.view_{model._meta.model_name}" for model in REGISTERED]))


@pytest.fixture
def story(seat: Seat) -> Seat:
    """A player to whom something of every kind has happened."""
    seat.done("confirmWithdrawal", seat.opened("withdraw", "30.25"))
    seat.done("rollbackDeposit", seat.opened("deposit", "5.00"))
    seat.call("withdraw", unique("mm"), "5000.00")
    seat.done("rollbackWithdrawal", unique("mm"))
    expired = seat.opened("withdraw", "1.50")
    seat.resolve(expired, "expired")
    seat.call("confirmWithdrawal", expired)
    seat.adjust("debit", 500_00, into_debt=True, id=new_id())
    seat.adjust("credit", 20_00, id=new_id())
    seat.opened("deposit", "7.00")
    return seat
