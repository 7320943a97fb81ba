"""What several machines show at slightly different moments is no difference."""

from collections.abc import Callable

import pytest
from django.test import override_settings

from wallet.audit import second_look
from wallet.audit.problems import problem
from wallet.audit.report import Report
from wallet.audit.second_look import confirmed


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "PAUSE_SECONDS", 0.0)


def report(wallets: str = "", things: str = "") -> Report:
    """One that has something of each of these wallets and things."""
    made = Report(wallets=7, entries=70)
    for id in wallets.split():
        made.add_wallet(id, [problem("key", "words")], 1)
    for subject in things.split():
        made.add_ledger(subject, [problem("key", "words")])
    return made


def then(later: Report) -> Callable[[], Report]:
    return lambda: later


def never() -> Report:
    raise AssertionError("nobody has to look again")


def test_confirmed__one_database_is_believed_at_once() -> None:
    first = report("w-1")
    assert confirmed(first, never) is first


@override_settings(DATABASE_DISTRIBUTED=True)
def test_confirmed__no_difference_is_believed_at_once() -> None:
    first = report()
    assert confirmed(first, never) is first


@override_settings(DATABASE_DISTRIBUTED=True)
def test_confirmed__only_what_is_found_twice_is_told() -> None:
    later = report("w-2 w-3", "currency figures")
    told = confirmed(report("w-1 w-2", "currency acts"), then(later))
    assert (list(told.by_wallet), list(told.of_ledger)) == (["w-2"], ["currency"])
    assert (told.problem_count, told.problems) == (2, ["wallet w-2 words", "currency: words"])
    assert (told.wallets, told.entries) == (7, 70)


@override_settings(DATABASE_DISTRIBUTED=True)
def test_confirmed__what_is_gone_is_not_told() -> None:
    told = confirmed(report("w-1", "acts"), then(report()))
    assert (told.problem_count, told.by_wallet, told.of_ledger) == (0, {}, {})
