"""What a right game never does: each rule looks at what was seen on the wire, and cites the contract."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from clients.kit.wallet.record import (
    CONFIRMATIONS,
    OPENINGS,
    RETRIED,
    ROLLBACKS,
    SETTLING,
    TRANSACTING,
    Seen,
)
from clients.kit.wallet.run import Run

# Seconds before each repetition of a confirmation or rollback (contract 2.4).
PAUSES = (0, 5, 10, 20, 40, 120, 300, 600, 1800, *[3600] * 48)
# A repetition may be so much earlier or later than due; later also by the run's slack.
TOLERANCE = 0.1
ENDS = "Transactions come to their end"
Rule = Callable[[Run], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and what speaks against it; `problem` is empty if nothing does."""

    rule: str
    paragraph: str
    problem: str = ""


def check(run: Run) -> list[Finding]:
    """Every rule, once without a problem or once for each."""
    found: list[Finding] = []
    with run.record.reading():
        for rule, paragraph, look in RULES:
            problems = list(look(run))
            found += [Finding(rule, paragraph, problem) for problem in problems or [""]]
    return found


def missing(run: Run) -> list[str]:
    """What has not been seen yet."""
    counts = {call: len(run.record.of(call)) for call in run.scenario.needs}
    few = [
        f"{call}: {counts[call]} of at least {wanted} requests"
        for call, wanted in run.scenario.needs.items()
        if counts[call] < wanted
    ]
    left = len(run.scenario.calls_game) - len(run.record.heard)
    return [*few, *([f"POST /kit/call: {left} calls of the wallet's are left"] if left > 0 else [])]


# --- Rules ---


def is_understood(run: Run) -> Iterator[str]:
    """No request is refused, but as the scenario has it."""
    for one in run.record.seen:
        wanted = one.code in (0, RETRIED) or one.code in run.scenario.refusals
        if one.status in (401, 404, 405, 413):
            yield f"{shown(one)} was answered {one.status}: {one.problem}"
        elif not wanted:
            yield f"{shown(one)} was refused ({one.code}): {one.problem}"


def says_the_same(run: Run) -> Iterator[str]:
    """A repetition has the content of the first request; only the token may be another one."""
    first: dict[tuple[str, str], Seen] = {}
    for one in run.record.seen:
        before = first.setdefault((one.call, one.id), one)
        if one.call in (*TRANSACTING, "initiate") and content(one) != content(before):
            yield f"{shown(one)} differs from the first: {difference(before, one)}"


def keeps_its_id(run: Run) -> Iterator[str]:
    """There are no more transactions, or orders, than things to pay for."""
    opened = {one.key for one in run.record.of(*OPENINGS)}
    if run.scenario.transactions and len(opened) > run.scenario.transactions:
        ids = ", ".join(sorted(id for _, id in opened))
        yield f"{len(opened)} ids were opened for {run.scenario.transactions}: {ids}"
    orders = {one.id for one in run.record.of("initiate")}
    if len(orders) > 1:
        yield f"{len(orders)} orders were started for one: {', '.join(orders)}"


def confirms_what_is_open(run: Run) -> Iterator[str]:
    """A confirmation follows a yes that the game has read."""
    for one in run.record.of(*CONFIRMATIONS):
        openings = [each for each in run.record.of(*OPENINGS) if each.key == one.key]
        if not any(each.is_yes and each.ended_at <= one.began_at for each in openings):
            yield f"{shown(one)} came before the opening was answered with yes"


def ends_it_once(run: Run) -> Iterator[str]:
    """What was confirmed is not rolled back, nor the other way round, unless the first was refused."""
    for key in run.record.transactions():
        ends = [one for one in run.record.of(*SETTLING) if one.key == key]
        for before, after in pairwise(ends):
            was_refused = before.is_answered and before.code != 0
            if (before.call in ROLLBACKS) != (after.call in ROLLBACKS) and not was_refused:
                yield f"{shown(after)} came after {before.call}"


def keeps_the_schedule(run: Run) -> Iterator[str]:
    """Confirmations and rollbacks that were not answered are repeated when they are due."""
    for key in dict.fromkeys((one.call, one.id) for one in run.record.of(*SETTLING)):
        tries = [one for one in run.record.seen if (one.call, one.id) == key]
        for pause, (before, after) in zip(PAUSES, pairwise(tries), strict=False):
            if before.is_answered:
                break
            yield from lateness(run, before, after, max(pause, before.retry_after))


def lateness(run: Run, before: Seen, after: Seen, pause: int) -> Iterator[str]:
    due, came = pause * run.options.scale, after.began_at - before.ended_at
    is_early, is_late = due and came < due * (1 - TOLERANCE), came > due * (1 + TOLERANCE) + run.options.slack
    if is_early or is_late:
        how = f"{came:.3f} s after the one before, and was due after {due:.3f} s ({pause} s)"
        yield f"{shown(after)} came {how}"


def takes_no_for_final(run: Run) -> Iterator[str]:
    """What was refused for good is not sent again."""
    refused: dict[tuple[str, str], int] = {}
    for one in run.record.of(*TRANSACTING):
        key = (one.call, one.id)
        if key in refused:
            yield f"{shown(one)} came again after it was refused ({refused[key]})"
        elif one.is_answered and one.code:
            refused[key] = one.code


def comes_to_an_end(run: Run) -> Iterator[str]:
    """Each transaction ends as the scenario has it."""
    states = run.states()
    for key in run.record.transactions():
        state = states.get(key, "")
        if state not in run.scenario.ends:
            wanted = " or ".join(sorted(name.replace("_", " ") for name in run.scenario.ends if name))
            found = state.replace("_", " ") or "unknown to the wallet"
            yield f"the {key[0]} {key[1]} is {found}, not {wanted}"


def answers_rightly(run: Run) -> Iterator[str]:
    """What the wallet asked and told was answered as the contract has it."""
    for one in run.record.heard:
        if not one.is_right:
            got = f"{one.status} {one.text[:200]}".strip() if one.status else one.text
            yield f"{one.what}: expected {one.expected}, got {got}"


def gives_what_is_paid(run: Run) -> Iterator[str]:
    """Goods, if the game's tests tell of them: given after a yes, once, and taken back if it was undone."""
    states = {id: state for (_, id), state in run.states().items()}
    for id in dict.fromkeys(one.id for one in run.record.goods):
        total = sum(one.count for one in run.record.goods if one.id == id)
        first = min(one.at for one in run.record.goods if one.id == id)
        if total > 1:
            yield f"{id}: given {total} times"
        if id in states:
            yield from wrongly_given(run, id, states[id], first, total)


def wrongly_given(run: Run, id: str, state: str, first: float, total: int) -> Iterator[str]:
    openings = [one for one in run.record.of(*OPENINGS) if one.id == id]
    if not any(one.is_yes and one.ended_at <= first for one in openings):
        yield f"{id}: given before the opening was answered with yes"
    if total > 0 and state != "confirmed":
        yield f"{id}: given, and not taken back, although it is {state.replace('_', ' ')}"


RULES: tuple[tuple[str, str, Rule], ...] = (
    ("Requests are what the contract asks for", "1 Reading a request", is_understood),
    ("A repetition says the same", "2.3", says_the_same),
    ("A repetition keeps its id", "2.3", keeps_its_id),
    ("Nothing is confirmed before it is open", "2.1", confirms_what_is_open),
    ("What was confirmed is not rolled back, nor the other way round", "2.3", ends_it_once),
    ("Repetitions keep the schedule", "2.4", keeps_the_schedule),
    ("A refusal is final", "1 Error codes", takes_no_for_final),
    (ENDS, "2.4", comes_to_an_end),
    ("The platform's own calls are answered", "2.4", answers_rightly),
    ("Goods follow the money", "2.1", gives_what_is_paid),
)


# --- Words ---


def content(one: Seen) -> dict[str, Any]:
    return {name: value for name, value in one.body.items() if name != "token"}


def difference(before: Seen, after: Seen) -> str:
    """The members in which two requests differ."""
    one, other = content(before), content(after)
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return ", ".join(f"{name} was {one.get(name)}, is {other.get(name)}" for name in names)


def shown(one: Seen) -> str:
    """A request as a report names it."""
    return f"{one.call} {one.id} (request {one.number + 1})".replace("  ", " ")
