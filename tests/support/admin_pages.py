"""How the tests speak to the admin."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lib.clock import now
from lib.ids import new_id
from players.audit_trail.record import Origin, record_act
from players.models import (
    Approval,
    ApprovalRule,
    AuditEvent,
    Credential,
    Game,
    GameSession,
    Operator,
    PlatformSwitch,
    Player,
)
from tests.support.admin_orders import PAYMENT_MODELS, payment_rows
from tests.support.callers import PlayerSession, unique
from tests.support.owned import owned
from tests.support.payout import bounded
from wallet.models import (
    Alert,
    ApiCall,
    Checkpoint,
    ClosedDay,
    Currency,
    Discrepancy,
    Inquiry,
    JobRun,
    PayoutLimit,
    Question,
    Transaction,
    Wallet,
)

REGISTERED = [
    *(
        Approval,
        ApprovalRule,
        Operator,
        AuditEvent,
        Group,
        Game,
        Credential,
        Player,
        GameSession,
        PlatformSwitch,
        Currency,
        PayoutLimit,
        Wallet,
        Transaction,
        ApiCall,
        Discrepancy,
    ),
    *(Inquiry, Alert, JobRun, Checkpoint, ClosedDay),
    *PAYMENT_MODELS,
]
WALLET_ACTIONS = ["freeze", "unfreeze", "set_limit", "adjust"]
PLAYER_ACTIONS = ["add_note", "end_sessions", "block", "unblock", "self_exclude", "change_status"]
INQUIRY_ACTIONS = ["confirm", "roll_back", "requery"]
PROVIDER_ACTIONS = ["enter_secret", "make_secret", "enter_api_key", "retire"]
SHOP_ACTIONS = ["make_secret", "retire", "pause", "resume"]


def operator(*permissions: str, **attributes: Any) -> Operator:
    operators = owned(Operator) if attributes.get("is_superuser") else Operator.objects.all()
    # Read again: a row of the owner's connection would be saved by it.
    made = Operator.objects.get(pk=operators.create(username=unique("op"), is_staff=True, **attributes).pk)
    for name in set(permissions):
        app, codename = name.split(".")
        permission = Permission.objects.get(content_type__app_label=app, codename=codename)
        # The application itself can give no single permissions, as it can make no superuser.
        owned(Operator.user_permissions.through).create(operator=made, permission=permission)
    return made


def signed_in(who: Operator) -> Client:
    client = Client()
    client.force_login(who)
    return client


def address(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def page(model: Any, row: Any, action: str = "change") -> str:
    if action == "change":
        return address(model, "change", row.pk)
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}", args=[row.pk])


def get(client: Client, place: str) -> str:
    """The text of a page that must open."""
    response = client.get(place)
    assert response.status_code == 200, (place, response.status_code)
    return response.content.decode()


def hidden_in(text: str) -> dict[str, str]:
    """The hidden fields of a form, as a browser sends them back."""
    inputs = re.findall(r"<input type=\"hidden\"[^>]*>", text)
    named = {name[1]: one for one in inputs if (name := re.search(r'name="([^"]*)"', one))}
    values = {name: re.search(r'value="([^"]*)"', one) for name, one in named.items()}
    return {name: unescape(found[1]) if found else "" for name, found in values.items()}


def sent(client: Client, place: str, **given: str) -> tuple[Any, dict[str, str]]:
    """Fills in the form of an action and confirms it, as a browser does.

    Returns the last answer, and what was sent for it.
    """
    fields = hidden_in(get(client, place)) | given
    response = client.post(place, fields)
    following = hidden_in(response.content.decode()) if response.status_code == 200 else {}
    if following.get("confirmed"):
        fields = following
        response = client.post(place, fields)
    return response, fields


def requested(client: Client, place: str, **given: str) -> Approval:
    """Requests an act through its pages; returns the request."""
    response, fields = sent(client, place, **({"reason": "Ticket 7"} | given))
    found = Approval.objects.filter(pk=fields["approval_id"]).first()
    assert found, response.content.decode()
    return found


def approved_by(other: Client, approval: Approval) -> Approval:
    """A second person looks at the request and approves it; returns the request as it is then."""
    place = page(Approval, approval, "approve")
    response = other.post(place, hidden_in(get(other, place)))
    assert response.status_code == 302 or "shown only once" in response.content.decode()
    approval.refresh_from_db()
    return approval


def by_two(client: Client, other: Client, place: str, **given: str) -> Approval:
    """Requests an act through its pages, has it approved, and returns the request, which was executed."""
    approval = approved_by(other, requested(client, place, **given))
    assert approval.state == Approval.State.EXECUTED, approval.result
    return approval


def with_reason(given: dict[str, Any]) -> dict[str, Any]:
    """What a form sends whose change may need a second person."""
    return {"reason": "Ticket 7", "approval_id": str(new_id())} | given


def saved(client: Client, other: Client, place: str, given: dict[str, str]) -> Approval | None:
    """Sends such a form; a second person approves what it requests, if it does. Returns the request."""
    sent = with_reason(given)
    response = client.post(place, sent, follow=True)
    text = response.content.decode()
    assert response.redirect_chain, text
    assert "Nothing was requested" not in text, text
    approval = Approval.objects.filter(pk=sent["approval_id"]).first()
    if approval:
        approved_by(other, approval)
        assert approval.state == Approval.State.EXECUTED, approval.result
    return approval


def find(client: Client, model: Any, text: str) -> str:
    """The list that the search form leads to."""
    response = client.post(address(model, "find"), {"q": text})
    assert response.status_code == 302
    return get(client, response["Location"])


def shown(text: str) -> str:
    """What a list shows of one of our ids."""
    return f'title="{text}"'


def doubted(player_session: PlayerSession, mm: str, type: str = "withdrawal", **attributes: Any) -> Inquiry:
    """An inquiry about a pending transaction.

    In doubt because it is held where `attributes` do not say otherwise.
    """
    transaction, at = player_session.transaction(mm, type), now()
    known = {
        "player": player_session.player,
        "game": player_session.game,
        "began_at": at,
        "doubt": "held",
        "doubt_since": at,
    }
    return Inquiry.objects.create(transaction=transaction, **(known | attributes))


def waiting(player_session: PlayerSession, mm: str, type: str = "withdrawal", **attributes: Any) -> Inquiry:
    """An inquiry that waits for the game's next answer."""
    return doubted(
        player_session,
        mm,
        type,
        doubt="",
        doubt_since=None,
        next_attempt_at=now() + timedelta(hours=6),
        **attributes,
    )


def question(inquiry: Inquiry, answer: str = "pending", **attributes: Any) -> Question:
    """A question that was answered at once."""
    at = attributes.pop("asked_at", None) or now()
    known = {
        "game": inquiry.game,
        "asked_by": "worker:7",
        "asked_at": at,
        "answered_at": at,
        "status": 200,
        "took_ms": 12,
    }
    return Question.objects.create(inquiry=inquiry, answer=answer, **(known | attributes))


def alert(kind: str = "sweep_failed", **attributes: Any) -> Alert:
    at = now()
    return Alert.objects.create(
        kind=kind,
        **({"subject": unique("a"), "text": "It failed.", "raised_at": at, "last_seen_at": at} | attributes),
    )


def run(task: str = "settle_due", **attributes: Any) -> JobRun:
    """A run that ended well."""
    at = now()
    return JobRun.objects.create(
        task=task, worker="worker:7", **({"began_at": at, "ended_at": at} | attributes)
    )


def checkpoint(number: int = 1, **attributes: Any) -> Checkpoint:
    sums = {"root": b"\x0a" * 32, "previous": b"\x0b" * 32, "hash": b"\x0c" * 32}
    known = {
        "made_at": now(),
        "wallets": 3,
        "entries": 1234,
        "key_id": "0123456789abcdef",
        "file": f"checkpoint-{number}",
    }
    return Checkpoint.objects.create(number=number, **(sums | known | attributes))


def closed(days_ago: int = 1) -> ClosedDay:
    """A day that nothing happened on."""
    at = now()
    return ClosedDay.objects.create(day=at.date() - timedelta(days=days_ago), entries=0, closed_at=at)


def rows_of(story: PlayerSession) -> dict[Any, list[Any]]:
    """The rows of each model that belong to a story."""
    return {
        Approval: list(Approval.objects.filter(subject_id=str(story.wallet().pk))),
        ApprovalRule: [ApprovalRule.objects.first() or ApprovalRule.objects.create(kind="change_shop")],
        Operator: [Operator.objects.order_by("pk")[0]],
        AuditEvent: [record_act(Origin.machine("test"), action="test", subject=story.player)],
        Group: [Group.objects.get(name="finance")],
        Game: [story.game],
        Credential: list(Credential.objects.filter(game=story.game)),
        Player: [story.player],
        GameSession: [story.session()],
        PlatformSwitch: list(PlatformSwitch.objects.all()),
        Currency: [Currency.objects.get(code="XAG")],
        PayoutLimit: [PayoutLimit.objects.first() or bounded()],
        Wallet: [story.wallet()],
        Transaction: list(Transaction.objects.filter(player=story.player)),
        ApiCall: list(ApiCall.objects.filter(player=story.player)),
        Discrepancy: list(Discrepancy.objects.filter(player=story.player)),
        Inquiry: list(Inquiry.objects.filter(player=story.player)),
        Alert: [alert()],
        JobRun: [run()],
        Checkpoint: [Checkpoint.objects.first() or checkpoint()],
        ClosedDay: [ClosedDay.objects.first() or closed()],
        **payment_rows(),
    }


def queries(client: Client, place: str) -> list[str]:
    get(client, place)
    with CaptureQueriesContext(connection) as caught:
        get(client, place)
    return [query["sql"] for query in caught.captured_queries]
