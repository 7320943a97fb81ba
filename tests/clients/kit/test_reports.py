"""Reports of what servers may send: markup, control characters, whatever."""

import json
from xml.etree import ElementTree

import pytest

from clients.kit.check import Check
from clients.kit.expectations import Skipped, Unmet
from clients.kit.parties import Login, Target
from clients.kit.reports import WRITERS
from clients.kit.runner import Run
from clients.kit.trial import Trial

TARGET = Target("http://127.0.0.1:9", Login("g", "p1", "a"), Login("o", "p2", "b"), Login("f", "p3"))
HOSTILE = "<script>alert(1)</script> ]]> \x00\x1b \ud800 \u202e&\"'"


SHOWN = HOSTILE.replace("\ud800", "\\ud800")
TITLE = "A title <script>"


def hostile(trial: Trial) -> None:
    trial.record.add("POST / HTTP/1.1", HOSTILE, 0.002)
    raise Unmet(HOSTILE, HOSTILE, HOSTILE)


def skipped(trial: Trial) -> None:
    raise Skipped(HOSTILE)


@pytest.fixture
def run() -> Run:
    run = Run(TARGET, TARGET.redactor(), schema_hash="none")
    list(run.run([Check("happy.one", TITLE, "2.3", hostile), Check("attack.two", "Two", "1.6", skipped)]))
    return run


def test_page__escapes_everything(run: Run) -> None:
    page = WRITERS["html"].write(run)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 6
    assert page.index('id="failed"') < page.index('id="skipped"')
    assert "contract 2.3" in page


def test_junit__is_xml_whatever_came(run: Run) -> None:
    root = ElementTree.fromstring(WRITERS["junit"].write(run))
    [failed, left_out] = root.iter("testcase")
    [failure] = failed.iter("failure")
    assert failure.get("type") == "contract 2.3"
    assert "<script>alert(1)</script>" in (failure.text or "")
    assert [skip.get("message", "")[:8] for skip in left_out.iter("skipped")] == ["<script>"]
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "1", "1")


def test_json__holds_the_wire_and_the_difference(run: Run) -> None:
    report = json.loads(WRITERS["json"].write(run))
    [failed, left_out] = report["checks"]
    assert failed["failure"]["got"] == SHOWN
    assert failed["wire"] == [{"request": "POST / HTTP/1.1", "answer": SHOWN, "took_ms": 2}]
    assert (left_out["outcome"], left_out["reason"]) == ("skipped", SHOWN)
    assert (report["passed"], report["schemaSha256"]) == (False, "none")


@pytest.mark.parametrize("name", WRITERS)
def test_reports__can_be_written_to_a_file(run: Run, name: str) -> None:
    assert WRITERS[name].write(run).encode()
