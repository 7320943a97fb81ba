"""Tries changed callbacks, and counts what came of them.

At the signature alone, and through the whole stack.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

from payments.providers.protocol import Event
from payments.providers.signatures.refused import Refused
from payments.settlement.decide import differing_fields
from payments.settlement.snapshot import OrderSnapshot
from tests.payments.fuzz.calls import ACTS, CONTRADICTS, REFUSED, Call, Subject
from tests.payments.fuzz.mutations import BODY, mutated
from tests.support.callers import Caller

STATUSES = {200: ACTS, 404: CONTRADICTS, 422: CONTRADICTS, 400: REFUSED, 401: REFUSED, 413: REFUSED}
# What is broken is shown, but not without end.
MOST_SHOWN = 10


@dataclass
class Tally:
    """How often what came of a callback, and what should not have."""

    outcomes: Counter[str] = field(default_factory=Counter)
    # Counted where something was changed that nobody signs, so that it had to count, and did.
    still_genuine: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(
        self, subject: Subject, call: Call, allowed: frozenset[str], outcome: str, detail: str = ""
    ) -> None:
        self.outcomes[outcome] += 1
        self.still_genuine += allowed == {ACTS} and outcome == ACTS
        if outcome not in allowed:
            self.wrong.append(f"{subject.name}: {outcome} {detail}, allowed is {sorted(allowed)}: {call}")

    def report(self, before: Counter[str]) -> str:
        """What has come of callbacks since, in words."""
        return ", ".join(f"{count} {what}" for what, count in sorted((self.outcomes - before).items()))


def fuzz_signatures(subjects: list[Subject], count: int, dice: random.Random, tally: Tally) -> None:
    """Changes genuine callbacks `count` times, and has each verified."""
    for _ in range(count):
        subject = dice.choice(subjects)
        one, other = dice.choice(subject.genuine), dice.choice(subject.genuine)
        call = mutated(dice, one.call, other.call)
        allowed = subject.scheme.judge(subject.genuine, call, one.at)
        try:
            event = subject.verify(call, one.at)
        except Refused:
            tally.note(subject, call, allowed, REFUSED)
        except Exception as problem:  # noqa: BLE001 (whatever it is, it would be a 500)
            tally.note(subject, call, allowed, "crashed", repr(problem))
        else:
            tally.note(subject, call, allowed, meaning(subject, event))


def meaning(subject: Subject, event: Event) -> str:
    """Whether an accepted event says what a genuine one says about the order."""
    if event.echoed is None:
        return ACTS if any(event == one.event for one in subject.genuine) else CONTRADICTS
    standing = OrderSnapshot(
        order=subject.order, decimals=2, provider_id=subject.terms.id, payments=[], refunds=[]
    )
    return (
        ACTS
        if event.order_id == subject.order.pk and not differing_fields(standing, event.echoed)
        else CONTRADICTS
    )


def fuzz_http(subjects: list[Subject], count: int, dice: random.Random, tally: Tally) -> None:
    """The same through everything that a request goes through; `late` cannot be had there."""
    for _ in range(count):
        subject = dice.choice(subjects)
        call = mutated(dice, dice.choice(subject.genuine).call, dice.choice(subject.genuine).call)
        call = Call(call.headers, call.body)
        at = int(time.time())
        outcome, detail = post(subject, call, dice)
        tally.note(subject, call, subject.scheme.judge(subject.genuine, call, at), outcome, detail)


def fuzz_providers(subjects: list[Subject], count: int, dice: random.Random, tally: Tally) -> None:
    """A provider that signs nonsense: whatever it says, we answer, and never with a failure of ours."""
    for _ in range(count):
        subject = dice.choice(subjects)
        one, other = dice.choice(subject.genuine), dice.choice(subject.genuine)
        call = one.call
        for _ in range(dice.randrange(1, 4)):
            call = dice.choice(BODY)(dice, call, other.call)
        named = {"webhook-id": f"msg_{dice.randrange(10**9)}"} if "webhook-id" in call.headers else {}
        call = subject.scheme.sign(Call(call.headers | named, call.body), subject.secret, int(time.time()))
        outcome, detail = post(subject, call, dice)
        tally.note(subject, call, frozenset({ACTS, CONTRADICTS, REFUSED}), outcome, detail)


def post(subject: Subject, call: Call, dice: random.Random) -> tuple[str, str]:
    """What is answered; header names in letters of any size."""
    headers = {
        dice.choice((str.title, str.upper, str.lower))(name): value
        for name, value in call.headers.items()
        if name != "content-type"
    }
    headers["Content-Type"] = call.headers.get("content-type", "")
    answer = Caller(None, "10.9.8.7").send("POST", f"/pay/{subject.terms.slug}", call.body, headers)
    return STATUSES.get(
        answer.status, "crashed" if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "odd"
    ), str(answer.status)
