"""The page of `make evidence` says what is met, what became of each test, and what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.evidence.page import Evidence, write_page
from tests.evidence.rules import Rule
from tests.evidence.run import Result

RULES = [
    Rule("A law", "1 a", "that `x` < *y*", "met", "page [P](p.md)", ("tests/a.py::test_one",)),
    Rule("A law", "1 b", "*Text not seen.* Perhaps more", "partly", "Lacks: all", ("tests/a.py::test_two",)),
    Rule("Another", "2", "jackpots", "not ours", "there are none", ()),
]


def evidence(two: Result, *wrong: str) -> Evidence:
    results = {"tests/a.py::test_one": Result(passed=3), "tests/a.py::test_two": two}
    began_at = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)
    return Evidence("1.2.3", began_at, timedelta(seconds=75), RULES, results, list(wrong))


def test_page__has_version_time_counts_and_each_rule() -> None:
    page = write_page(evidence(Result(passed=1)))
    assert "Evidence for docs/regulation.md, Quantum Wallet 1.2.3" in page
    assert "2026-12-01 06:30:00 UTC, took 75 s" in page
    assert '<p class="verdict passed">Every named test passed.</p>' in page
    assert '<li class="met"><b>1</b> met</li><li class="partly"><b>1</b> partly</li>' in page
    assert '<li class="not-ours"><b>1</b> not ours</li>' in page
    assert "<b>1</b> of them not seen in their own words</li>" in page
    assert '<li class="passed"><b>2</b> passed</li></ul>' in page
    assert page.count("<article>") == 3
    assert "that <code>x</code> &lt; <em>y</em>" in page
    assert '<span class="badge unread">text not seen</span> Perhaps more' in page
    assert ">passed 3 times</span><code>test_<wbr>one</code><small>tests/<wbr>a.py</small>" in page
    assert "<strong>Lacks:</strong> all" in page
    assert "page P<ul>" in page


def test_page__needs_nothing_else() -> None:
    page = write_page(evidence(Result(passed=1)))
    assert not [word for word in ("<link", "<script", "src=", "url(", "http") if word in page]


def test_page__tells_a_failure_at_the_top() -> None:
    told = evidence(Result(passed=1, failures=["[EUR] assert 1 == <2>"]))
    page = write_page(told)
    assert not told.is_whole
    assert "The evidence is not whole." in page
    assert "<li>tests/a.py::test_two: [EUR] assert 1 == &lt;2&gt;</li>" in page
    assert '<li class="failed"><b>1</b> failed</li>' in page


def test_page__tells_what_was_skipped_and_why() -> None:
    told = evidence(Result(skipped={"there is no Chromium": 2}))
    page = write_page(told)
    assert told.is_whole
    assert '<p class="verdict passed">No named test failed.</p>' in page
    assert "<h2>Skipped <small>1</small></h2>" in page
    assert "<li>tests/a.py::test_two: there is no Chromium</li>" in page


@pytest.mark.parametrize("told", [evidence(Result()), evidence(Result(passed=1), "1 a: twice")])
def test_evidence__is_not_whole_if_a_test_did_not_run_or_a_row_is_wrong(told: Evidence) -> None:
    assert not told.is_whole
    assert ("Not run" in write_page(told), "1 a: twice" in write_page(told)) in {(True, False), (False, True)}
