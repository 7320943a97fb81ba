"""Requests for a second person, made without pages."""

from uuid import UUID

from django.db import transaction

from lib.ids import new_id
from players.approvals.operations import present_preview, request_approval
from players.audit_trail.record import Origin
from players.models import Approval, Operator
from tests.support.callers import PlayerSession
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload


def origin_of(who: Operator) -> Origin:
    """Where an operator of the tests acts from."""
    return Origin(who, who.username, address="192.0.2.1")


def credit_of(player_session: PlayerSession, amount: int = 1_00) -> AdjustmentPayload:
    """A credit of `amount` minor units."""
    return AdjustmentPayload(player_session.player.pk, player_session.currency, "credit", amount)


def digest_of(payload: AdjustmentPayload) -> str:
    """What an operator who looks now sees."""
    with transaction.atomic():
        return ADJUSTMENT.preview(payload).digest


def request_credit(
    by: Operator, player_session: PlayerSession, amount: int = 1_00, *, id: UUID | None = None
) -> Approval:
    """A request to credit a player's wallet, by an operator who sees the present effect."""
    payload = credit_of(player_session, amount)
    return request_approval(
        ADJUSTMENT,
        payload,
        id=id or new_id(),
        origin=origin_of(by),
        reason="Goodwill",
        digest=digest_of(payload),
    )


def present_digest(approval: Approval) -> str:
    """What a second person who looks now sees."""
    return present_preview(approval).digest
