"""The verdict on money, from what the checks left behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from config.home.verdict import LATE, TITLES, Checks, State, judge
from wallet.models import Alert, Checkpoint, JobRun

AT = datetime(2031, 5, 6, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = uuid4()


def audit(ended: datetime | None = AT - 7 * HOUR, error: str = "") -> JobRun:
    note = "12 wallets, 345 entries: no difference."
    return JobRun(task="audit_all", began_at=AT - 8 * HOUR, ended_at=ended, note=note, error=error)


def checkpoint(made_at: datetime = AT - 5 * HOUR) -> Checkpoint:
    return Checkpoint(number=7, made_at=made_at, wallets=12, entries=345)


RIGHT = Checks(
    at=AT,
    differences={},
    frozen=0,
    audit=audit(),
    last_audit=audit(),
    replayed_up_to=AT - HOUR,
    checkpoint=checkpoint(),
    makes_checkpoints=True,
)


def test_verdict__says_when_how_many_and_that_nothing_is_frozen() -> None:
    verdict = judge(RIGHT)
    assert (verdict.state, verdict.title, verdict.reasons) == (State.RIGHT, "Money is right", [])
    assert verdict.facts == [
        "Last whole audit 2031-05-06 02:00:00 UTC: 12 wallets, 345 entries: no difference.",
        "All changes since then are audited up to 2031-05-06 08:00:00 UTC.",
        "Last checkpoint 2031-05-06 04:00:00 UTC: number 7, 12 wallets, 345 entries.",
        "No wallet is frozen.",
    ]


@pytest.mark.parametrize("kind", Alert.CRITICAL)
def test_verdict__is_wrong_while_a_difference_is_open(kind: str) -> None:
    verdict = judge(replace(RIGHT, differences={kind: [uuid4() for _ in range(3)]}))
    assert (verdict.state, verdict.title) == (State.WRONG, "Money is not right")
    [reason] = verdict.reasons
    assert reason.sentence.endswith(" (3 times).")
    assert reason.address == "/admin/wallet/alert/?state=open"


def test_verdict__leads_to_the_only_difference_itself() -> None:
    [reason] = judge(replace(RIGHT, differences={Alert.Kind.WALLET_DIFFERENCE: [ID]})).reasons
    assert reason.sentence == "Audit: a wallet differs from its journal."
    assert reason.address == f"/admin/wallet/alert/{ID}/change/"


def test_verdict__older_replays_are_no_news() -> None:
    facts = judge(replace(RIGHT, replayed_up_to=AT - 7 * HOUR)).facts
    assert [fact.split(maxsplit=1)[0] for fact in facts] == ["Last", "Last", "No"]


def test_verdict__difference_outweighs_what_was_not_checked() -> None:
    verdict = judge(replace(RIGHT, differences={Alert.Kind.LEDGER_DIFFERENCE: [ID]}, audit=None))
    assert verdict.state == State.WRONG
    assert [reason.sentence for reason in verdict.reasons] == [
        "Audit: the ledger does not balance.",
        "The whole ledger has never been audited; that is done every night.",
    ]


@pytest.mark.parametrize(
    ("checks", "sentence"),
    [
        (replace(RIGHT, audit=None), "The whole ledger has never been audited; that is done every night."),
        (
            replace(RIGHT, audit=audit(AT - LATE - HOUR)),
            "The last whole audit ended 2031-05-05 06:00:00 UTC.",
        ),
        (
            replace(RIGHT, last_audit=audit(error="OperationalError: away")),
            "The last whole audit was aborted: OperationalError: away",
        ),
    ],
)
def test_verdict__is_unknown_where_nobody_has_looked(checks: Checks, sentence: str) -> None:
    verdict = judge(checks)
    assert (verdict.state, verdict.title) == (State.UNKNOWN, TITLES[State.UNKNOWN])
    assert [reason.sentence for reason in verdict.reasons] == [sentence]


def test_verdict__is_right_up_to_the_moment_the_audit_is_late() -> None:
    assert judge(replace(RIGHT, audit=audit(AT - LATE))).state == State.RIGHT


@pytest.mark.parametrize(
    ("checks", "sentence"),
    [
        (replace(RIGHT, frozen=1), "1 wallet is frozen: nothing can be withdrawn there."),
        (replace(RIGHT, frozen=100), "99+ wallets are frozen: nothing can be withdrawn there."),
        (replace(RIGHT, makes_checkpoints=False), "No checkpoints are made: CHECKPOINT_KEY is not set."),
        (
            replace(RIGHT, checkpoint=checkpoint(AT - LATE - HOUR)),
            "The last checkpoint was made 2031-05-05 06:00:00 UTC.",
        ),
    ],
)
def test_verdict__tells_what_should_be_known_though_money_is_right(checks: Checks, sentence: str) -> None:
    verdict = judge(checks)
    assert verdict.state == State.RIGHT
    assert [reason.sentence for reason in verdict.reasons] == [sentence]
