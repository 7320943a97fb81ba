"""Adjustments: what operators credited, debited, wrote off and booked afterwards, and who approved it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from lib.backoffice.languages import _
from players.models import Approval
from wallet.models import Adjustment, Transaction
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row, Thing, written

Type = Transaction.Type
TAKES = frozenset({Type.DEBIT, Type.LATE_WITHDRAWAL, Type.DEPOSIT_BACK})


def read(asked: Asked, place: str, size: int) -> Batch:
    """The adjustments behind a place, in the order of time."""
    found = list(adjustments(asked, place).select_related("player", "operator")[: size + 1])
    shown = found[:size]
    # A request and the transaction that it posts have one id.
    decided = Approval.objects.filter(pk__in=[one.pk for one in shown], decided_by__isnull=False)
    approvers = dict(decided.values_list("pk", "decided_by__username"))
    rows = [row(one, approvers.get(one.pk, "")) for one in shown]
    return Batch(rows, place_of(shown[-1]) if len(found) > size else "")


def adjustments(asked: Asked, place: str) -> "QuerySet[Adjustment]":
    """Those of the period, without test players. Raises `ValueError` for what is no place."""
    within = Q(at__gte=asked.period.since, at__lt=asked.period.until, player__is_test=False)
    if asked.currency:
        within &= Q(currency=asked.currency)
    if place:
        moment, _slash, id = place.partition("/")
        at, behind = datetime.fromisoformat(moment), UUID(id)
        within &= Q(at__gt=at) | Q(at=at, pk__gt=behind)
    return Adjustment.objects.filter(within).order_by("at", "pk")


def place_of(adjustment: Adjustment) -> str:
    return f"{adjustment.at.isoformat()}/{adjustment.pk}"


def row(adjustment: Adjustment, approver: str) -> Row:
    """An adjustment by the report's columns."""
    values: tuple[Any, ...] = (
        adjustment.at,
        Thing(adjustment.player.uid, "player", adjustment.player_id),
        Type(adjustment.type).label,
        adjustment.currency_id,
        -adjustment.amount if adjustment.type in TAKES else adjustment.amount,
        written(requester_of(adjustment)),
        written(approver),
        written(adjustment.reason),
        Thing(str(adjustment.pk), "transaction", adjustment.pk),
    )
    return Row(values, adjustment.currency_id)


def requester_of(adjustment: Adjustment) -> str:
    """The operator's name; of those from before operators were kept, as the journal has it."""
    by = adjustment.operator
    return by.username if by else adjustment.actor.removeprefix("operator:")


REPORT = Report(
    name="adjustments",
    title=_("Adjustments"),
    question=_("What have operators credited and debited, who approved it, and why?"),
    rule="GLI-19 3.0, 2.9.5; Pennsylvania 811a.9",
    note=_(
        "What is taken from the player is below zero. Nobody is named as the approver of what one person may "
        "do alone."
    ),
    columns=(
        Column(_("When (UTC)"), Look.TIME),
        Column(_("Player")),
        Column(_("What")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Amount"), Look.AMOUNT, is_summed=True),
        Column(_("Requested by")),
        Column(_("Approved by")),
        Column(_("Reason")),
        Column(_("Transaction"), Look.ID),
    ),
    permissions=("wallet.view_closedday", "wallet.view_transaction", "players.view_player"),
    read=read,
)
