"""What operators do: they request and decide, adjust, freeze, and bar players."""

from collections.abc import Generator
from datetime import datetime
from typing import Any, Literal

import msgspec
from django.db.models import Model

from lib.ids import new_id
from payments.history.director import Story
from payments.history.people import Person
from payments.history.world import CURRENCY, World
from players.approvals.kinds import Kind, NotExecutable, actor_of
from players.approvals.operations import approve, decline, present_preview, request_approval, withdraw
from players.audit_trail.record import Origin, record_act, roles_of
from players.models import Operator, Player
from players.operations import put_player, set_player_status
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload
from wallet.models import Wallet
from wallet.operations import freeze_wallet, limit_withdrawals

OFFICE = "198.51.100.200"
Status = Player.Status
# How requests end, and how many of ten; the rest waits until it expires.
ENDS = (("approved", 7), ("declined", 1), ("withdrawn", 1), ("left", 1))
GOODWILL = (
    "Goodwill after the outage of the game",
    "Prize of the weekend tournament",
    "Compensation, ticket 4711",
)
MISTAKES = ("The prize was credited twice", "Correction of ticket 4711")
BLOCKS = (
    "Chargeback: waits for the bank",
    "Several accounts at one device",
    "The player asked for it by mail",
)


def origin_of(operator: Operator) -> Origin:
    return Origin(operator, operator.username, roles_of(operator), OFFICE)


def requested(
    world: World, kind: Kind[Any], payload: msgspec.Struct, reason: str, end: str = ""
) -> Generator[datetime, None, None]:
    """One operator requests an act, and a second one decides; it goes as chance says, or to an `end`."""
    by, other = world.stage.requester, world.stage.approver
    if end == "left":
        # The first one has something to decide, too.
        by, other = other, by
    try:
        approval = request_approval(
            kind, payload, id=new_id(), origin=origin_of(by), reason=reason, digest=None
        )
    except NotExecutable:
        return
    if not end:
        [end] = world.random.choices([name for name, _ in ENDS], [share for _, share in ENDS])
    yield world.after(120, 7_200)
    if end == "approved":
        try:
            digest = present_preview(approval).digest
        except NotExecutable:
            digest = approval.digest
        approve(approval.pk, origin=origin_of(other), digest=digest)
    elif end == "declined":
        decline(approval.pk, by=other, reason="Ask the game first.")
    elif end == "withdrawn":
        withdraw(approval.pk, by=by, reason="It was settled meanwhile.")


def adjust(world: World, person: Person, end: str = "") -> Story:
    """A player gets something, or has something taken back."""
    type: Literal["credit", "debit"] = "credit" if world.happens(0.8) else "debit"
    amount = world.random.choice((5_00, 10_00, 25_00, 100_00))
    reason = world.random.choice(GOODWILL if type == "credit" else MISTAKES)
    payload = AdjustmentPayload(person.id, CURRENCY, type, amount)
    yield from requested(world, ADJUSTMENT, payload, reason, end)


def freeze(world: World, person: Person) -> Story:
    """Nothing can be withdrawn from a wallet until somebody has looked at it."""
    wallet = Wallet.objects.get(player_id=person.id, currency=CURRENCY)
    reason = "Withdrawals look like those of a machine"
    freeze_wallet(wallet, actor=actor(world), reason=reason)
    record(world, "freeze", wallet, {"frozen_at": None}, {"frozen_at": world.now.isoformat()}, reason)
    yield from ()


def limit(world: World, person: Person) -> Story:
    """A largest single withdrawal, as the player wished."""
    wallet = Wallet.objects.get(player_id=person.id, currency=CURRENCY)
    reason, most = "As the player wished", 50_00
    limit_withdrawals(wallet, most=most, actor=actor(world), reason=reason)
    record(world, "set_limit", wallet, {"withdrawal_limit": None}, {"withdrawal_limit": most}, reason)
    yield from ()


def block(world: World, person: Person) -> Story:
    """An operator blocks a player, maybe for a time only."""
    bar(world, person, Status.BLOCKED, world.random.choice(BLOCKS))
    if world.happens(0.4):
        yield world.after(20_000, 200_000)
        bar(world, person, Status.ACTIVE, "It was settled with the player")


def bar(world: World, person: Person, status: str, reason: str) -> None:
    before = Player.objects.get(pk=person.id).status
    player = set_player_status(person.id, status=status, actor=actor(world), reason=reason)
    person.is_barred = status != Status.ACTIVE
    action = "block" if person.is_barred else "unblock"
    record(world, action, player, {"status": before}, {"status": player.status}, reason)


def actor(world: World) -> str:
    return actor_of(world.stage.requester.username)


def record(
    world: World, action: str, subject: Model, before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    """Writes an act into the audit trail, as the page of the act does."""
    record_act(
        origin_of(world.stage.requester),
        action=action,
        subject=subject,
        before=before,
        after=after,
        reason=reason,
    )


def self_exclude(world: World, person: Person) -> Story:
    """A player wishes to be kept out."""
    put_player(person.uid, attributes={}, status=Status.SELF_EXCLUDED, actor="platform:lobby")
    person.is_barred = True
    yield from ()
