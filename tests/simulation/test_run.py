"""The simulation: content with the real server, and never with one that lies."""

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import OperationalError, connection

from players.models import Player
from simulation import audit, client, crew, player
from simulation.__main__ import main
from simulation.book import Move
from simulation.progress import Progress
from simulation.run import Plan, deal
from simulation.stories import DECK
from simulation.tally import Tally
from tests.support.callers import Caller, Callers, adjuster
from tests.support.lying_proxy import Lie, proxied
from tests.support.web_server import free_port
from wallet.operations import adjust_wallet

# Every story at least once.
WHOLE_DECK = sum(story.transactions * (story.copies or 1) for story in DECK)


@pytest.fixture(scope="session")
def credentials(server: str, callers: Callers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as `make run` writes it."""
    path = tmp_path_factory.mktemp("simulate") / "demo.json"
    games = [{"slug": party.game.slug, **named(party.caller)} for party in (callers.game, callers.other_game)]
    path.write_text(json.dumps({"url": server, "games": games, "platform": named(callers.front)}))
    return path


def named(caller: Caller) -> dict[str, str]:
    username, _, password = (
        b64decode((caller.authorization or "").removeprefix("Basic ")).decode().partition(":")
    )
    return {"username": username, "password": password}


class Failed(Exception):
    """A simulation did not end with 0; this is what it printed."""

    def __init__(self, output: str, status: int) -> None:
        super().__init__(output)
        self.status = status


def simulate(*arguments: str) -> tuple[int, str]:
    """The exit status of a simulation, and what it prints."""
    output = StringIO()
    return main(list(arguments), output, output), output.getvalue()


def played(credentials: Path, *options: str, players: int = 3, transactions: int = WHOLE_DECK) -> str:
    """What a simulation prints. Raises `Failed`."""
    status, output = simulate(
        f"--players={players}",
        f"--transactions={transactions}",
        "--concurrency=4",
        "--credentials",
        str(credentials),
        *options,
    )
    if status:
        raise Failed(output, status)
    return output


def figure(output: str, name: str) -> int:
    found = re.search(rf"^{name} +([\d,]+)", output, re.MULTILINE)
    assert found, output
    return int(found[1].replace(",", ""))


# --- Content with the real server -------------------------------------------------------------------


def test_simulation__every_story_ends_well_on_the_real_server(credentials: Path) -> None:
    output = played(credentials, "--no-audit")
    assert [figure(output, name) for name in ("Transactions", "Balances compared", "Differences")] == [
        WHOLE_DECK,
        3 * 8,
        0,
    ]
    assert all(figure(output, story.name) for story in DECK)
    for outcome in ("101", "102", "103", "104", "105", "106", "107", "108", "110", "111"):
        assert f" {outcome}: " in output, outcome


def test_simulation__lost_answers_are_repeated_and_act_once(server: str, credentials: Path) -> None:
    heard = iter(range(10**9))
    with proxied(server, lambda path, sent, told: None if next(heard) % 7 == 3 else told) as url:
        output = played(credentials, "--no-audit", "--url", url)
    assert figure(output, "Differences") == 0
    assert re.search(r"^withdraw .*lost: \d", output, re.MULTILINE)


def test_simulation__asks_again_if_the_server_says_try_again(server: str, credentials: Path) -> None:
    heard = iter(range(10**9))
    with proxied(
        server, lambda path, sent, told: told, status=lambda status: 503 if next(heard) % 7 == 5 else status
    ) as url:
        output = played(credentials, "--no-audit", "--url", url)
    assert figure(output, "Differences") == 0
    assert re.search(r"^withdraw .*HTTP 503: \d", output, re.MULTILINE)


def test_simulation__one_player_plays_too(credentials: Path) -> None:
    assert figure(played(credentials, "--no-audit", players=1, transactions=1), "Transactions") == 1


# --- Never with one that lies -----------------------------------------------------------------------


def add_a_cent(told: bytes, name: str = "balance") -> bytes:
    """The same answer with one cent more."""
    return re.sub(
        rb'("%b":\{"amount":\d+\.)(\d\d)' % name.encode(),
        lambda found: found[1] + b"%02d" % ((int(found[2]) + 1) % 100),
        told,
    )


def only(part: str, change: Callable[[bytes], bytes]) -> Lie:
    """Changes the answers of the paths that hold `part`."""
    return lambda path, sent, told: change(told) if part in path else told


def refused(told: bytes) -> bool:
    return b"errorCode" in told


def a_success(sent: bytes, told: bytes) -> bytes:
    """What a careless server would say instead of no."""
    asked = json.loads(sent)
    balance = {"amount": 1.25, "currencyCode": "XAG"}
    return json.dumps(
        {"mmTransactionId": asked["mmTransactionId"], "qwTransactionId": str(uuid4()), "balance": balance}
    ).encode()


LIES: dict[str, Lie] = {
    "the balance of the entry API is a cent too high": only("/entry/balance", add_a_cent),
    "reserved is a cent too high": only("/entry/balance", lambda told: add_a_cent(told, "reserved")),
    "there is a debt": only("/entry/balance", lambda told: add_a_cent(told, "debt")),
    "getBalance is a cent too high": only("getBalance", add_a_cent),
    "verifySession names another player": only("verifySession", lambda told: told.replace(b"sim-", b"sin-")),
    "a withdrawal's balance is a cent too high": only("/withdraw", add_a_cent),
    "a confirmation's balance is a cent too high": only("confirmDeposit", add_a_cent),
    "a refusal's balance is a cent too high": only(
        "withdraw", lambda told: add_a_cent(told) if refused(told) else told
    ),
    "amounts lack a decimal": only("rollbackWithdrawal", lambda told: re.sub(rb"(\.\d)\d", rb"\1", told)),
    "every answer has another id": lambda path, sent, told: re.sub(
        rb'(qwTransactionId":")[^"]*', rb"\g<1>" + str(uuid4()).encode(), told
    ),
    "no two answers are the same": lambda path, sent, told: (
        told[:-1] + f', "at": "{uuid4()}"}}'.encode() if b"balance" in told else told
    ),
    "every withdrawal succeeds": lambda path, sent, told: (
        a_success(sent, told) if path.endswith("/withdraw") and refused(told) else told
    ),
    "every confirmation succeeds": lambda path, sent, told: (
        a_success(sent, told) if "confirm" in path and refused(told) else told
    ),
    "every rollback is refused": only(
        "/rollbackDeposit", lambda told: b'{"errorCode": 106, "errorDescription": "no"}'
    ),
    "the wrong refusal": only("/withdraw", lambda told: told.replace(b'"errorCode":108', b'"errorCode":107')),
    "queryTransaction says pending": only(
        "queryTransaction", lambda told: told.replace(b"rolled_back", b"pending")
    ),
    "the answer names another transaction": only(
        "/deposit", lambda told: told.replace(b'"mmTransactionId":"sim', b'"mmTransactionId":"sin')
    ),
    "there is no qwTransactionId": only("/deposit", lambda told: told.replace(b"qwTransactionId", b"id")),
    "no JSON": only("deposit", lambda told: b"<html>"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_simulation__a_false_answer_is_a_difference(lie: Lie, server: str, credentials: Path) -> None:
    with proxied(server, lie) as url, pytest.raises(Failed) as ending:
        played(credentials, "--no-audit", "--url", url)
    assert ending.value.status == 1
    assert figure(str(ending.value), "Differences") >= 1


@pytest.mark.parametrize(
    ("asked", "done"), [("confirmDeposit", "rollbackDeposit"), ("rollbackWithdrawal", "confirmWithdrawal")]
)
def test_simulation__money_moved_elsewhere_is_a_difference(
    asked: str, done: str, server: str, credentials: Path
) -> None:
    """The answer looks right; the wallet is not."""
    with (
        proxied(server, lambda path, sent, told: told, lambda path: path.replace(asked, done)) as url,
        pytest.raises(Failed) as ending,
    ):
        played(credentials, "--no-audit", "--url", url)
    assert figure(str(ending.value), "Differences") >= 1


def test_simulation__finds_money_taken_by_others_at_the_end(server: str, credentials: Path) -> None:
    robbed: list[Player] = []
    asked: list[str] = []

    def rob(path: str) -> str:
        asked.append(path)
        # The first time is the simulation's own look whether the server is there.
        if path == "/entry/balance" and asked.count(path) == 2:
            robbed.append(Player.objects.filter(uid__startswith="sim-").latest("created_at"))
            adjust_wallet(
                robbed[0],
                "EUR",
                type="debit",
                amount=1,
                transaction_id=uuid4(),
                operator=adjuster(),
                reason="test",
            )
            connection.close()
        return path

    with proxied(server, lambda path, sent, told: told, rob) as url, pytest.raises(Failed) as ending:
        played(credentials, "--no-audit", "--url", url, players=1, transactions=6)
    assert f"{robbed[0].uid}: spendable by the entry API is " in str(ending.value)
    assert f"{robbed[0].uid}: spendable by getBalance is " in str(ending.value)
    assert figure(str(ending.value), "Differences") == 2


def test_simulation__ends_if_the_server_goes_away(
    server: str, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RETRY_PAUSES", (0.01,))
    heard = iter(range(10**9))
    with (
        proxied(server, lambda path, sent, told: told if next(heard) < 100 else None) as url,
        pytest.raises(Failed, match="got no answer") as ending,
    ):
        played(credentials, "--no-audit", "--url", url)
    assert figure(str(ending.value), "Balances compared") == 0


@pytest.mark.parametrize("call", ["withdraw", "confirmDeposit"])
def test_simulation__own_bug_is_no_verdict(
    call: str, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks in a thread ends the run with its own exception, on whichever of two connections it
    happened.
    """

    def break_down(move: Move, *others: object) -> None:
        if move.endpoint == call:
            raise ZeroDivisionError

    monkeypatch.setattr(player, "complaint", break_down)
    with pytest.raises(ZeroDivisionError):
        played(credentials, "--no-audit")


# --- The audit ----------------------------------------------------------------------------------------


def test_simulation__failed_audit_fails_the_run(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, **options: Any) -> None:
        raise CommandError(f"{name}: wallet 1, entry 2 differs")

    monkeypatch.setattr(audit, "call_command", fail)
    with pytest.raises(Failed, match=r"FAILED +audit_ledger: wallet 1, entry 2 differs"):
        played(credentials, players=1, transactions=1)


def test_simulation__runs_the_audit_if_database_is_the_servers(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(audit, "call_command", lambda name, **options: asked.append(name))
    assert re.search("^Audit +passed", played(credentials, players=1, transactions=1), re.MULTILINE)
    monkeypatch.setattr(Player.objects, "filter", lambda **which: Player.objects.none())
    assert "is not the server's" in played(credentials, players=1, transactions=1)
    assert asked == ["audit_ledger"]


def test_simulation__runs_no_audit_without_usable_settings(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ImproperlyConfigured("DATABASE_URL is missing")

    monkeypatch.setattr(audit, "set_up", fail)
    assert "the settings cannot be used: DATABASE_URL is missing\n" in played(
        credentials, players=1, transactions=1
    )


def test_simulation__runs_no_audit_if_database_cannot_be_read(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**which: object) -> None:
        raise OperationalError("connection refused\nat all")

    monkeypatch.setattr(Player.objects, "filter", fail)
    assert "cannot be read: connection refused\n" in played(credentials, players=1, transactions=1)


# --- What is asked for ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option", ["--players=0", "--players=many", "--transactions=-1", "--concurrency=0", "--concurrency=1000"]
)
def test_simulation__refuses_senseless_numbers(
    option: str, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        simulate(option, "--credentials", str(credentials))
    assert ending.value.code == 2
    assert re.search(r"must be a whole number from 1 to [\d,]+, not '", capsys.readouterr().err)


def test_simulation__names_a_missing_server(credentials: Path) -> None:
    status, said = simulate("--credentials", str(credentials), "--url", f"http://127.0.0.1:{free_port()}")
    assert (status, said.startswith("There is no server at http://127.0.0.1:")) == (1, True)


def test_simulation__refuses_credentials_of_another_server(credentials: Path, tmp_path: Path) -> None:
    other = json.loads(credentials.read_text())
    other["games"][1]["password"] = "wrong"
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other))
    status, said = simulate("--credentials", str(path))
    assert (status, "refuses the credential of " + other["games"][1]["slug"] in said) == (1, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "There is no "),
        ("{", "cannot be read"),
        ("[]", "does not have the form"),
        ('{"url": "http://localhost", "games": [], "platform": {}}', "does not have the form"),
    ],
)
def test_simulation__refuses_unusable_credential_files(
    text: str | None, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "demo.json"
    if text is not None:
        path.write_text(text)
    status, said = simulate("--credentials", str(path))
    assert (status, problem in said) == (1, True)


@pytest.mark.parametrize("url", ["nonsense", "ftp://localhost", "http://", "http://localhost:99999"])
def test_simulation__refuses_senseless_urls(url: str, credentials: Path) -> None:
    status, said = simulate("--credentials", str(credentials), "--url", url)
    assert (status, "--url must be like" in said) == (1, True)


@pytest.mark.parametrize("transactions", [1, 2, 12, 1000])
def test_simulation__deals_exactly_as_many_transactions_as_asked(transactions: int) -> None:
    hands = deal(Plan(players=7, transactions=transactions, concurrency=1, seed=5))
    assert len(hands) == 7
    assert sum(story.transactions for hand in hands for story in hand) == transactions


def test_simulation__seed_repeats_its_stories_another_differs() -> None:
    plans = [Plan(players=3, transactions=500, concurrency=1, seed=seed) for seed in (1, 1, 2)]
    first, again, other = ([[story.name for story in hand] for hand in deal(plan)] for plan in plans)
    assert first == again
    assert first != other
    assert Counter(name for hand in first for name in hand).keys() == {story.name for story in DECK}


# --- Interrupted --------------------------------------------------------------------------------------


def test_simulation__ctrl_c_compares_and_reports_what_was_played(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(10**9))

    def interrupt_once(self: Progress, what: str, done: int, total: int) -> None:
        if what == "Playing" and done and next(looks) == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(crew, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Progress, "show", interrupt_once)
    status, output = simulate("--players=4", "--transactions=100000", "--credentials", str(credentials))
    assert status == 130
    assert 0 < figure(output, "Transactions") < 100_000
    assert figure(output, "Balances compared") == 4 * 8
    assert "nothing differs" in output


# --- The progress -------------------------------------------------------------------------------------


def test_simulation__terminal_shows_one_changing_line() -> None:
    stream, tally = StringIO(), Tally()
    progress = Progress(stream, tally, is_terminal=True)
    for seconds in (0.001, 0.002, 0.003):
        tally.count("withdraw", "ok", seconds)
    progress.show("Playing", 12, 2000)
    tally.differ("something")
    progress.show("Playing", 1200, 2000)
    progress.clear()
    assert re.fullmatch(
        r"\rPlaying 12/2,000 \([\d,]+/s\), calls p50 2.0 p95 3.0 p99 3.0 ms"
        r"\rPlaying 1,200/2,000 \([\d,]+/s\), calls p50 2.0 p95 3.0 p99 3.0 ms, 1 WRONG\r +\r",
        stream.getvalue(),
    )


def test_simulation__writes_a_line_now_and_then_if_no_terminal() -> None:
    stream = StringIO()
    progress = Progress(stream, Tally(), is_terminal=False)
    progress.show("Playing", 1, 2)
    assert stream.getvalue() == ""
    progress.shown_at -= 5
    progress.show("Playing", 2, 2)
    assert stream.getvalue().startswith("Playing 2/2 (")
    assert stream.getvalue().endswith(" p99 0.0 ms\n")
