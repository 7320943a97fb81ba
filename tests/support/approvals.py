"""Requests for a second person, made without pages."""

import threading
from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction

from lib.ids import new_id
from players.approvals.operations import (
    ApprovalRefused,
    PreviewChanged,
    present_preview,
    request_approval,
)
from players.approvals.rules import may_act_alone
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


def request_credit(
    by: Operator,
    player_session: PlayerSession,
    amount: int = 1_00,
    *,
    id: UUID | None = None,
    alone: bool | None = None,
) -> Approval:
    """A request to credit a player's wallet, by an operator who sees the present effect.

    What the page says of acting alone is the truth if `alone` does not say otherwise.
    """
    payload = credit_of(player_session, amount)
    with transaction.atomic():
        seen = ADJUSTMENT.preview(payload)
    return request_approval(
        ADJUSTMENT,
        payload,
        id=id or new_id(),
        origin=origin_of(by),
        reason="Goodwill",
        digest=seen.digest,
        alone=may_act_alone(ADJUSTMENT, by, seen) if alone is None else alone,
    )


def present_digest(approval: Approval) -> str:
    """What a second person who looks now sees."""
    return present_preview(approval).digest


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What came of acts that began in the same instant."""
    start, said = threading.Barrier(len(acts)), list[str]()

    def do(act: Callable[[], object]) -> None:
        start.wait()
        try:
            said.append(str(getattr(act(), "state", "done")))
        except (ApprovalRefused, PreviewChanged) as problem:
            said.append(problem.__class__.__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)
