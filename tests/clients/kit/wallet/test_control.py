"""How a game's tests steer the scripted wallet, and what it leaves behind."""

import io
import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from clients.kit.command import main
from clients.kit.contract import PARAGRAPHS
from clients.kit.wallet.command import conclude, make_parser
from clients.kit.wallet.record import TRANSACTING
from clients.kit.wallet.rules import RULES
from clients.kit.wallet.scenarios import SCENARIOS
from tests.support.scripted_wallet import Game

PRICE = Decimal("15.00")
Begin = Callable[..., Game]


def test_scenarios__have_names_of_their_own_and_cite_the_contract() -> None:
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS) >= 15
    assert {one.paragraph for one in SCENARIOS} | {cited for _, cited, _ in RULES} <= PARAGRAPHS.keys()
    calls = {call for one in SCENARIOS for fault in one.faults for call in fault.calls}
    assert calls <= {*TRANSACTING, "initiate"}


def test_control__lists_scenarios(begin: Begin) -> None:
    told = begin("purchase").wallet.send("GET", "/kit/scenarios").body["scenarios"]
    assert [one["name"] for one in told] == [one.name for one in SCENARIOS]
    assert all(one["task"] and one["wallet"] and one["game"] for one in told)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/kit/scenario", {"name": "none"}, 400, "There is no such scenario"),
        ("/kit/nothing", {}, 404, "POST /kit/scenario"),
        ("/kit/goods", {"id": 7}, 400, "id must be a text"),
    ],
)
def test_control__says_what_is_wrong(
    begin: Begin, path: str, body: dict[str, object], status: int, words: str
) -> None:
    answer = begin("purchase").wallet.send("POST", path, body)
    assert answer.status == status
    assert words in answer.body["problem"]


def test_control__each_scenario_begins_anew(begin: Begin) -> None:
    game = begin("purchase")
    game.call("withdraw", "a", PRICE)
    game.call("confirmWithdrawal", "a")
    begun = game.wallet.choose("change-of-mind")
    assert game.call("getBalance").code == 102
    assert (begun["balance"]["amount"], begun["token"] != game.begun["token"]) == (Decimal("100.00"), True)
    report = game.wallet.send("GET", "/kit/report").body
    assert [(one["name"], one["status"]) for one in report["verdicts"]] == [
        ("purchase", "passed"),
        ("change-of-mind", "failed"),  # it was called with the token of the scenario before
    ]


def test_report__has_the_wire_and_no_token(begin: Begin) -> None:
    game = begin("withdrawal-answer-lost")
    game.call("withdraw", "a", PRICE)
    wire = game.wallet.verdict()["wire"]
    assert len(wire) == 1
    assert '"amount": 15.00' in wire[0]
    assert wire[0].endswith("→  200 (done; closed without a byte)")
    assert game.begun["token"] not in json.dumps(wire)


def test_reports__json_and_junit(begin: Begin, tmp_path: Path) -> None:
    game = begin("purchase")
    game.call("withdraw", "a\x00", PRICE)
    verdicts = game.wallet.control.finish()
    files = [tmp_path / "report.json", tmp_path / "report.xml"]
    given = make_parser().parse_args(["--json", str(files[0]), "--junit", str(files[1])])
    stream = io.StringIO()
    assert conclude(given, verdicts, stream) == 1
    assert stream.getvalue() == "0 of 1 scenarios passed.\n"
    told = json.loads(files[0].read_text())["verdicts"][0]
    assert (told["name"], told["status"]) == ("purchase", "failed")
    suite = ET.parse(files[1]).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "contract 1" in (failure.get("message") or "")


def test_command__lists_without_serving(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallet", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(one.name in told for one in SCENARIOS)


def test_command__serves_until_it_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clients.kit", "wallet", "--port", "0", "--json", str(tmp_path / "r")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        assert "listens at http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert json.loads((tmp_path / "r").read_text())["verdicts"] == []
