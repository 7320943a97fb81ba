"""Every branch of contract 2.4 through the real worker, the real broker and a game on a real socket."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from lib.clock import now
from tests.conftest import Clock
from tests.faults.platform_processes import Platform, eventually
from tests.faults.unfinished import open_due, rich_session
from tests.support.callers import PlayerSession, make_party
from tests.support.game_query_server import Behaviour, FakeGame, says
from tests.wallet.settlement.test_sweep import UNUSABLE
from wallet.models import Alert, Inquiry, Question, Transaction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What is left open, what the game says, and how it stands in the end: a state, or why it is in doubt.
WORDS: dict[str, tuple[str, Behaviour, str]] = {
    "a withdrawal that went through": ("withdrawal", says("CONFIRMED"), "confirmed"),
    "a withdrawal that did not": ("withdrawal", says("ROLLED_BACK", echo=True), "rolled_back"),
    "a deposit that went through": ("deposit", says("CONFIRMED", echo=True), "confirmed"),
    "a deposit that did not": ("deposit", says("ROLLED_BACK"), "rolled_back"),
    "a withdrawal that it does not know": ("withdrawal", says("UNKNOWN"), "expired"),
    "a deposit that it does not know": ("deposit", says("UNKNOWN"), "unknown_deposit"),
    "a withdrawal that it has not finished": ("withdrawal", says("PENDING"), "pending_too_long"),
    "a deposit that it has not finished": ("deposit", says("PENDING"), "pending_too_long"),
    **{name: ("withdrawal", behaviour, "unreachable") for name, (behaviour, _) in UNUSABLE.items()},
}


def stand(id: UUID) -> str:
    """A transaction's state, or why it is in doubt."""
    found = Transaction.objects.get(pk=id)
    inquiry = Inquiry.objects.filter(transaction=found, closed_at=None).first()
    return inquiry.doubt or found.state if inquiry and found.settled_at is None else found.state


def wait_for_stands(ids: dict[str, UUID], wanted: dict[str, str], what: str) -> None:
    def as_wanted() -> bool:
        return {name: stand(id) for name, id in ids.items()} == wanted

    try:
        eventually(as_wanted, what)
    except AssertionError as late:
        differing = {name: (stand(id), wanted[name]) for name, id in ids.items() if stand(id) != wanted[name]}
        raise AssertionError(f"{late}: {differing}") from late


def answered(*, since: datetime, at_least: int) -> Callable[[], bool]:
    return lambda: Question.objects.filter(answered_at__gte=since).count() >= at_least


def times_unknown(ids: dict[str, UUID]) -> int:
    return Inquiry.objects.get(transaction=ids["a withdrawal that it does not know"]).unknown_answers


def test_sweep__every_answer_of_a_game_has_its_end(platform: Platform, clock: Clock, game: FakeGame) -> None:
    player_session = rich_session(platform.callers, make_party(query_url=game.url, query_username="quantum"))
    ids: dict[str, UUID] = {}
    for number, (name, (type, behaviour, _)) in enumerate(WORDS.items(), 1):
        ids[name], mm = open_due(player_session, type, number, timedelta(0))
        game.answers[mm] = behaviour
    for name, policy, type in (("held", "hold", "deposit"), ("expires", "expire", "withdrawal")):
        ids[name] = left_without_url(platform, policy, type)
    platform.start("worker", OUTGOING_TOTAL_SECONDS="1")
    platform.start("beat")

    settled = {"confirmed", "rolled_back"}
    ends = {name: end for name, (_, _, end) in WORDS.items()} | {"held": "held", "expires": "expired"}
    at_once = settled | {"unknown_deposit", "held"}
    first = {name: end if end in at_once or name == "expires" else "pending" for name, end in ends.items()}
    wait_for_stands(ids, first, "what can be settled at once is")
    eventually(
        lambda: (
            Inquiry.objects.filter(transaction__in=list(ids.values()), last_answer="", doubt="").count() == 0
        ),
        "every question is answered",
    )

    for times_asked, hours in enumerate((13, 26), 2):
        began = now()
        clock.go_ahead(hours * HOUR)
        eventually(
            answered(since=began + 12 * HOUR, at_least=len(UNUSABLE)), "what was not answered is asked again"
        )
        eventually(lambda: times_unknown(ids) == times_asked, "what the game does not know is asked again")  # noqa: B023
    wait_for_stands(
        ids,
        first | {"a withdrawal that it does not know": "expired"},
        "three UNKNOWN over a day expire a withdrawal",
    )

    clock.go_ahead(9 * DAY)
    wait_for_stands(ids, ends, "after seven days a person is asked")

    # What is in doubt for its age alone is asked about all the same.
    game.answers, game.otherwise = {}, says("CONFIRMED")
    clock.go_ahead(11 * DAY)
    ends |= {name: "confirmed" for name, end in ends.items() if end in ("pending_too_long", "unreachable")}
    wait_for_stands(ids, ends, "a game that answers in the end is believed")
    assert not Alert.objects.filter(kind__in=Alert.CRITICAL, resolved_at=None).exists()
    platform.assert_whole()


def left_without_url(platform: Platform, policy: str, type: str) -> UUID:
    player_session: PlayerSession = rich_session(platform.callers, make_party(unanswered_policy=policy))
    return open_due(player_session, type, 1_00, timedelta(0))[0]
