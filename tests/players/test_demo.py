"""The demonstration's data: made once, kept, and made good where it was lost; and who gets which rights."""

import json
import stat
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from psycopg import Connection

from lib.clock import now
from lib.outbound.client import BasicCredential
from payments.models import Order, Provider
from payments.providers.signing_secrets import delivery_secrets
from players.models import Credential, Game, Operator, Player
from players.operations import end_sessions, query_credential, set_player_status
from tests.conftest import Clock
from tests.support.call_log_days import drop_days
from tests.support.callers import Caller, basic, holding
from tests.support.owned import owned
from tests.support.shop import FakeProvider
from tests.support.switches import stopped
from wallet.currencies import show


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.DEMO = True
    # `make run` has made it by then, as the owner.
    owned(Operator).get_or_create(username="admin", defaults={"is_staff": True, "is_superuser": True})
    return tmp_path / "var" / "demo.json"


def seed(file: Path) -> dict[str, Any]:
    """Runs the command; returns what it wrote."""
    call_command("seed_demo", "--url", "http://127.0.0.1:9999/", "--file", str(file), verbosity=0)
    read: dict[str, Any] = json.loads(file.read_text())
    return read


def balance_of(demo: dict[str, Any], index: int = 0) -> str:
    """What the first game's backend reads for a demo player, with the written credentials."""
    game, player = demo["games"][0], demo["players"][index]
    return (
        Caller(basic(game["username"], game["password"]))
        .post("/wallet/getBalance", {"token": player["token"]})
        .balance
    )


@pytest.mark.parametrize("name", [None, "gaming", "openings"])
def test_demo__starts_where_nobody_may_play(file: Path, name: str | None) -> None:
    """What an operator has stopped is no reason not to start again."""
    first = seed(file)
    player = Player.objects.get(uid=first["players"][2]["uid"])
    if name is None:
        set_player_status(player.pk, status="blocked", actor="test", reason="r")
    end_sessions(player.pk)
    with stopped(name) if name else nullcontext():
        again = seed(file)
    assert again["players"][2]["token"] == first["players"][2]["token"]
    set_player_status(player.pk, status="active", actor="test", reason="r")
    assert seed(file)["players"][2]["token"] != first["players"][2]["token"]


def test_demo__can_be_played_at_once_with_what_is_written(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = seed(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo["url"] == "http://127.0.0.1:9999"
    assert [game["slug"] for game in demo["games"]] == ["starfall", "moonreef"]
    assert [(player["uid"], player["currencyCode"]) for player in demo["players"]] == [
        ("demo-anna", "XAG"),
        ("demo-ben", "XAG"),
        ("demo-chloe", "EUR"),
    ]
    assert balance_of(demo) == "10000.00"
    front = Caller(basic(demo["platform"]["username"], demo["platform"]["password"]))
    assert front.post("/entry/balance", {"uid": "demo-chloe", "currencyCode": "EUR"}).balance == "10000.00"
    assert Operator.objects.get(username=demo["admin"]["username"]).check_password(demo["admin"]["password"])
    approver = Operator.objects.get(username="approver")
    assert approver.check_password(demo["approver"]["password"])
    assert not approver.is_superuser
    assert approver.has_perms(["wallet.adjust_balance", "payments.manage_secrets"])
    assert Player.objects.get(uid="demo-anna").is_test
    assert f"curl -u starfall:{demo['games'][0]['password']}" in capsys.readouterr().out


def test_demo__products_and_providers_work_with_what_is_written(file: Path) -> None:
    demo = seed(file)
    assert {
        "game": "starfall",
        "productId": "coins-500",
        "productPrice": 4.99,
        "currencyCode": "EUR",
        "credit": {"amount": 500.0, "currencyCode": "XAG"},
    } in (demo["products"])
    assert {
        "game": "moonreef",
        "productId": "wm.spin.1",
        "productPrice": 4.99,
        "currencyCode": "EUR",
        "credit": None,
    } in demo["products"]
    assert [(provider["slug"], provider["scheme"]) for provider in demo["providers"]] == [
        *(("webhooks", "standard-webhooks"), ("notify", "order-notify"), ("sandbox", "sandbox")),
    ]
    game, player = demo["games"][0], demo["players"][0]
    asked = {
        "token": player["token"],
        "cpOrderId": "demo-1",
        "productId": "coins-500",
        "productPrice": Decimal("4.99"),
        "currencyCode": "EUR",
        "serverId": 1,
    }
    answer = Caller(basic(game["username"], game["password"])).post("/payments/initiate", asked)
    assert (answer.status, answer.body.get("state")) == (200, "created")
    fake_provider = FakeProvider(Provider.objects.get(slug="webhooks"), demo["providers"][0]["secret"])
    order = Order.objects.get(pk=answer.body["orderId"])
    # Genuine, for an order that was not started with it.
    assert fake_provider.tell("payment.succeeded", order).status == 422


GAME_URL = "http://127.0.0.1:9998"


def test_demo__game_that_runs_is_called_where_it_is(file: Path, settings: Any) -> None:
    before = seed(file)
    settings.DEMO_GAME_URL = GAME_URL
    told = seed(file)["games"][0]
    game = Game.objects.get(slug="starfall")
    assert (game.launch_url, game.query_url) == (f"{GAME_URL}/play", f"{GAME_URL}/platform/state")
    assert game.shop.order_url == f"{GAME_URL}/platform/deliveries"
    assert query_credential(game) == BasicCredential(told["queryUsername"], told["queryPassword"])
    # The newest signs.
    assert delivery_secrets(game)[0] == told["deliverySecret"]
    assert told["password"] == before["games"][0]["password"]
    assert seed(file)["games"][0] == told
    assert not Game.objects.get(slug="moonreef").query_url
    assert "queryPassword" not in seed(file)["games"][1]


def test_demo__lost_file_gives_the_game_new_secrets(file: Path, settings: Any) -> None:
    settings.DEMO_GAME_URL = GAME_URL
    first = seed(file)["games"][0]
    file.unlink()
    second = seed(file)["games"][0]
    assert first["queryPassword"] != second["queryPassword"]
    game = Game.objects.get(slug="starfall")
    assert query_credential(game) == BasicCredential("platform", second["queryPassword"])
    assert delivery_secrets(game)[:2] == [second["deliverySecret"], first["deliverySecret"]]


def test_demo__second_run_keeps_everything(file: Path) -> None:
    first = seed(file)
    assert seed(file) == first
    assert balance_of(first) == "10000.00"
    assert holding(Player.objects.get(uid="demo-anna")).entries == 2


def test_demo__replaces_a_session_that_is_nearly_over(file: Path, clock: Clock) -> None:
    first = seed(file)
    clock.go_ahead(timedelta(hours=13))
    second = seed(file)
    assert [player["token"] for player in second["players"]] != [
        player["token"] for player in first["players"]
    ]
    assert second["games"] == first["games"]
    assert balance_of(second) == "10000.00"


def test_demo__lost_file_gets_new_credentials_and_no_new_money(file: Path) -> None:
    first = seed(file)
    file.unlink()
    second = seed(file)
    assert second["games"][0]["username"] == "starfall"
    assert second["games"][0]["password"] != first["games"][0]["password"]
    assert balance_of(second) == "10000.00"
    old = Caller(basic("starfall", first["games"][0]["password"]))
    assert old.post("/wallet/getBalance", {"token": second["players"][0]["token"]}).status == 401
    assert Credential.objects.filter(username__startswith="starfall-", revoked_at__isnull=False).exists()


def test_demo__nothing_is_made_without_it(file: Path, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        seed(file)
    assert not file.exists()


def test_call_log__days_are_made_by_a_repeatable_command(
    clock: Clock, owner: "Connection[Any]", capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.CALL_LOG_DAYS = 90
    # Those that another test made.
    drop_days(owner)
    clock.stand(now().replace(year=2035))
    try:
        call_command("call_log_days", "--ahead", "2")
        call_command("call_log_days", "--ahead", "2")
        clock.stand(now().replace(year=2036))
        call_command("call_log_days", "--ahead", "0")
    finally:
        drop_days(owner)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Call log: 3 days made, 0 dropped.",
        "Call log: 0 days made, 0 dropped.",
        "Call log: 1 days made, 3 dropped.",
    ]


def test_currency__amount_of_an_unknown_one_cannot_be_shown() -> None:
    with pytest.raises(LookupError):
        show(1, "QQQ")
