"""Browsers of operators, and a player to whom something of every kind has happened."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from lib.backoffice.pages import view_permission
from lib.clock import now
from lib.ids import new_id
from payments.models import Callback, Delivery, Difference
from payments.nudges import NUDGER
from payments.providers.registry import PROVIDERS
from players.models import Approval, Operator
from tests.support.admin_orders import make_orders, reconcile
from tests.support.admin_pages import REGISTERED, doubted, operator, question, signed_in
from tests.support.approvals import request_credit
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.owned import owned
from tests.support.shop import ShopSetup, make_shop_setup
from wallet.models import Alert, Checkpoint, ClosedDay, Inquiry, JobRun


def forget_work() -> None:
    waiting = owned(Approval).filter(state="requested")
    waiting.update(state="expired", expires_at=F("requested_at"), ended_at=F("requested_at"), sealed="")
    Inquiry.objects.filter(closed_at=None).update(closed_at=now(), next_attempt_at=None)
    Alert.objects.filter(resolved_at=None).update(resolved_at=now(), resolved_by="test", reason="test")
    Callback.objects.filter(resolved_at=None).update(resolved_at=now(), resolved_by="test", reason="test")
    Delivery.objects.filter(state__in=("gone", "exhausted")).update(state="returned")
    Difference.objects.filter(state__in=Difference.UNDECIDED).update(state="accepted")
    for model in (ClosedDay, Checkpoint, JobRun):
        owned(model).all().delete()


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    """Pages are made without `collectstatic`."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def nothing_to_decide(database: None) -> Iterator[None]:
    """What one test leaves to be decided or looked at is not there for another."""
    forget_work()
    yield
    forget_work()


@pytest.fixture(autouse=True)
def forget_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process remembers of providers is forgotten before each test.

    No worker is there to be nudged.
    """
    PROVIDERS.forget()
    monkeypatch.setattr(NUDGER, "paused_until", float("inf"))


@pytest.fixture(scope="session")
def shop_setup(callers: Callers) -> ShopSetup:
    return make_shop_setup(callers)


@pytest.fixture
def boss(database: None) -> Operator:
    return operator(is_superuser=True)


@pytest.fixture
def client(boss: Operator) -> Client:
    """A superuser's browser."""
    return signed_in(boss)


@pytest.fixture
def second(database: None) -> Client:
    """Another superuser's browser: the second person."""
    return signed_in(operator(is_superuser=True))


@pytest.fixture
def viewer(database: None) -> Client:
    """Somebody who may see everything and do nothing."""
    return signed_in(operator(*map(view_permission, REGISTERED)))


@pytest.fixture
def story(player_session: PlayerSession, shop_setup: ShopSetup) -> PlayerSession:
    """A player to whom something of every kind has happened, after another one has paid."""
    make_orders(shop_setup)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "30.25"))
    player_session.done("rollbackDeposit", player_session.opened("deposit", "5.00"))
    player_session.call("withdraw", unique("mm"), "5000.00")
    player_session.done("rollbackWithdrawal", unique("mm"))
    expired = player_session.opened("withdraw", "1.50")
    player_session.resolve(expired, "expired")
    player_session.call("confirmWithdrawal", expired)
    player_session.adjust("debit", 500_00, into_debt=True, id=new_id())
    player_session.adjust("credit", 20_00, id=new_id())
    question(doubted(player_session, player_session.opened("deposit", "7.00"), "deposit"))
    request_credit(operator(is_superuser=True), player_session)
    reconcile(player_session.game)
    return player_session
