import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clients.kit.checks import CHECKS
from clients.kit.command import main
from clients.kit.parties import Target
from tests.support.web_server import free_port


def given(target: Target, url: str = "") -> list[str]:
    game, other, front = target.game, target.other_game, target.platform
    return [
        f"--url={url or target.url}",
        f"--game={game.slug}:{game.username}:{game.password}",
        f"--other-game={other.slug}:{other.username}:{other.password}",
        f"--platform={front.username}:{front.password}",
    ]


def test_list__names_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [check.id for check in CHECKS]
    assert lines[-1] == f"{len(CHECKS)} checks"


def test_main__tells_a_green_run_and_writes_its_reports(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, xml, data = (tmp_path / name for name in ("kit.html", "kit.xml", "kit.json"))
    only = ["--only=happy.withdraw", "--only=time.expiry", "--only=authentication.wrong-password"]
    reports = [f"--html={page}", f"--junit={xml}", f"--json={data}"]
    assert main([*given(target), *only, *reports]) == 0
    told = capsys.readouterr().out
    assert "happy.withdraw" in told
    assert "Verdict: passed, 1 skipped" in told
    assert "\x1b" not in told
    report = json.loads(data.read_text())
    assert (report["verdict"], report["passed"]) == ("passed, 1 skipped", True)
    assert len(report["schemaSha256"]) == 64
    assert [check["outcome"] for check in report["checks"]] == ["passed", "passed", "skipped"]
    assert "POST /wallet/withdraw HTTP/1.1" in report["checks"][0]["wire"][4]["request"]
    suites = ElementTree.parse(xml).getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("3", "0", "1")
    assert "<title>Passed, 1 skipped: conformance of" in page.read_text()
    for path in (page, xml, data):
        for login in (target.game, target.other_game, target.platform):
            assert login.password not in path.read_text()
            assert login.authorization.removeprefix("Basic ") not in path.read_text()


def test_main__is_1_on_a_difference_and_tells_it(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, url = tmp_path / "kit.html", f"{target.url}/planted/no-zeros"
    assert main([*given(target, url), "--only=money.own-decimals", f"--html={page}"]) == 1
    told = capsys.readouterr().out
    assert "expected  '1000.00'" in told
    assert "got       '1000'" in told
    assert "contract  1 Amounts" in told
    assert "> Authorization: [hidden]" in told
    assert "Verdict: failed: 1 of 1 checks" in told
    assert '<dd class="got">&#x27;1000&#x27;</dd>' in page.read_text()


def test_main__is_2_where_nothing_can_be_checked(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    wrong = [*given(target)[:3], f"--platform={target.platform.username}:wrong"]
    cases: tuple[tuple[list[str], str], ...] = (
        ([], "Give --url"),
        (["--only=nothing"], "neither a category nor a check 'nothing'"),
        (["--url=ftp://x", *given(target)[1:]], "--url must be an address"),
        ([*given(target), "--currency=EUR"], "must be two currencies"),
        (given(target, nobody), f"{nobody} cannot be reached"),
        (given(target, f"{target.url}/nowhere"), "is this the address of a wallet platform"),
        (wrong, "refuses the credential of --platform: HTTP 401"),
    )
    for arguments, sentence in cases:
        assert main(arguments) == 2
        told = capsys.readouterr().err
        assert sentence in told
        assert target.game.password not in told
