"""Of every kind of act: what its preview said is what happens, and nothing else ever does."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError
from django.db.models import URLField
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lib.ids import new_id
from payments.providers.registry import PROVIDERS
from players.approvals.configuration import ConfigurationChange
from players.approvals.kinds import KINDS, NotExecutable, Preview
from players.approvals.operations import PreviewChanged, approve, request_approval
from players.models import Approval, AuditEvent, Operator
from tests.support.admin_pages import operator
from tests.support.approvals import origin_of
from tests.support.callers import Callers
from tests.support.kind_cases import CASES
from tests.support.kind_cases.case import Case, Draw
from tests.support.long_forms import IS_LONG
from tests.support.shop import ShopSetup, make_shop_setup
from tests.support.switches import restored
from tests.support.written_rows import WrittenRows, written_rows

State = Approval.State
# Of each kind; of all together 10,000 in the long form.
EXAMPLES = 530 if IS_LONG else 6
PLAIN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not IS_LONG,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)


class Ground(NamedTuple):
    """A case, who requests it, who approves it, and what is written meanwhile."""

    case: Case
    asker: Operator
    other: Operator
    rows: WrittenRows


@pytest.fixture(scope="module")
def rows(owner: "psycopg.Connection[Any]", database: None) -> Iterator[WrittenRows]:
    with written_rows(owner) as rows:
        yield rows


@pytest.fixture(scope="module")
def people(database: None) -> tuple[Operator, Operator]:
    return operator(is_superuser=True), operator(is_superuser=True)


@pytest.fixture(scope="module")
def shop_setup(callers: Callers) -> ShopSetup:
    return make_shop_setup(callers)


@pytest.fixture
def sandbox(settings: Any) -> None:
    """The provider that takes refunds."""
    settings.DEMO = True
    PROVIDERS.forget()


def test_kinds__each_has_its_cases() -> None:
    assert set(CASES) == set(KINDS)


def opens_a_way(field: Any) -> bool:
    """Whether a column says where we call, send players to, take calls from, or let players come back to."""
    return isinstance(field, URLField | ArrayField)


@pytest.mark.parametrize("kind", [one for one in KINDS.values() if isinstance(one, ConfigurationChange)])
def test_configuration__guards_every_url_and_allow_list(kind: ConfigurationChange) -> None:
    ways = {field.name for field in kind.model._meta.concrete_fields if opens_a_way(field)}
    assert ways <= set(kind.guarded)
    assert ways <= set(kind.fields)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_kind__does_what_its_preview_said_or_nothing(
    name: str,
    people: tuple[Operator, Operator],
    callers: Callers,
    shop_setup: ShopSetup,
    sandbox: None,
    rows: WrittenRows,
) -> None:
    @PLAIN
    @given(st.data())
    def play(data: st.DataObject) -> None:
        case = CASES[name](Draw(data, callers, shop_setup))
        play_one(name, Ground(case, *people, rows), data)

    with restored():
        play()


def play_one(name: str, ground: Ground, data: st.DataObject) -> None:
    case = ground.case
    before = case.shows()
    try:
        approval = requested(name, ground)
    except NotExecutable:
        assert case.shows() == before
        return
    assert {label: old for label, old, _ in approval.effect}.items() <= before.items()
    assert case.shows() == before
    change = data.draw(st.sampled_from([None, *range(len(case.others))]), label="what others do meanwhile")
    if change is None:
        assert_executed(ground, approval, approval.digest, approval.effect)
        assert set(case.told()) <= set(approval.says)
        return
    case.others[change]()
    changed = case.shows()
    try:
        ended = approve(approval.pk, origin=origin_of(ground.other), digest=approval.digest)
    except PreviewChanged as problem:
        assert (case.shows(), state_of(approval)) == (changed, State.REQUESTED)
        assert_seen_again(problem.now, approval)
        assert_executed(ground, approval, problem.now.digest, problem.now.changes)
    else:
        assert (case.shows(), ended.state) == (changed, State.NOT_EXECUTABLE)


def requested(name: str, ground: Ground) -> Approval:
    return request_approval(
        KINDS[name],
        ground.case.payload,
        id=new_id(),
        origin=origin_of(ground.asker),
        reason="r",
        digest=None,
        secret=ground.case.secret,
    )


def state_of(approval: Approval) -> str:
    approval.refresh_from_db()
    return approval.state


def assert_seen_again(now: Preview, approval: Approval) -> None:
    """The new effect differs in words from the one that was requested."""
    assert ([list(one) for one in now.changes], list(now.says)) != (approval.effect, approval.says)


def assert_executed(ground: Ground, approval: Approval, digest: str, effect: Any) -> None:
    """It is done once approved, in one transaction with its record; the database then has what was said."""
    before, by = ground.case.shows(), origin_of(ground.other)
    with ground.rows.spoiled(), pytest.raises(DatabaseError):
        approve(approval.pk, origin=by, digest=digest)
    assert (ground.case.shows(), state_of(approval)) == (before, State.REQUESTED)
    with ground.rows.noted() as writes:
        done = approve(approval.pk, origin=by, digest=digest)
    assert done.state == State.EXECUTED, done.result
    assert {label: new for label, _, new in effect}.items() <= ground.case.shows().items()
    assert len({write.transaction for write in writes}) == 1
    event = AuditEvent.objects.get(approval_id=approval.pk)
    assert (event.action, event.outcome, event.note) == (approval.kind, "done", done.result)
    assert event.before == {label: old for label, old, _ in effect}
    assert event.after == {label: new for label, _, new in effect}
