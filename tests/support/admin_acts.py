"""How each act of the admin is done in a browser, on which row, and what it changes of the row.

The names are those of the admin's addresses. A new act needs a line here (`tests/config/admin/test_acts.py`).
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group

from lib.clock import now
from payments.models import (
    Callback,
    Delivery,
    EventReceiver,
    Order,
    Product,
    Provider,
    Refund,
    RefusedCallback,
    Shop,
)
from payments.providers.signing_secrets import add_event_secret, new_webhook_secret
from payments.refunds.operations import request_refund
from players.models import (
    Approval,
    ApprovalRule,
    AuditEvent,
    Credential,
    Game,
    Operator,
    PlatformSwitch,
    Player,
)
from players.switches import stop
from tests.support.admin_orders import event_receiver, make_orders, paid_there, sandbox_provider, tried
from tests.support.admin_pages import REGISTERED, address, alert, doubted, operator, page, sent
from tests.support.approvals import request_credit
from tests.support.callers import make_party, open_session, unique
from tests.support.doings import Arranged, Doing, Stage, action, added, changed, request
from tests.support.limits import change, limit
from tests.support.owned import owned
from tests.support.payout import bounded
from tests.support.reconciliation_acts import RECONCILIATION_ACTS
from tests.support.shop import event_body, make_product, make_provider
from wallet.models import Currency, Discrepancy, Inquiry, PayoutLimit, Transaction, Wallet
from wallet.operations import freeze_wallet

# --- Rows to act on -------------------------------------------------------------------------------------


def wallet(stage: Stage) -> Wallet:
    return stage.player_session.wallet()


def contradicted(stage: Stage) -> Discrepancy:
    """The game confirms what has expired."""
    mm = stage.player_session.opened("withdraw", "1.00")
    stage.player_session.resolve(mm, "expired")
    stage.player_session.call("confirmWithdrawal", mm)
    return Discrepancy.objects.get(transaction=stage.player_session.transaction(mm))


def pending(stage: Stage) -> Transaction:
    """A withdrawal of a game that can be asked about it."""
    session = open_session(make_party(query_url="https://127.0.0.1:9/state"), stage.player_session.player)
    return session.transaction(session.opened("withdraw", "1.00"))


def indebted(stage: Stage) -> Wallet:
    stage.player_session.adjust("debit", 500_00, into_debt=True)
    return wallet(stage)


def frozen(stage: Stage) -> Wallet:
    row = wallet(stage)
    freeze_wallet(row, actor="test", reason="test")
    return row


def inquiry(stage: Stage) -> Inquiry:
    """Of a game that can be asked."""
    party = make_party(query_url="https://game.example/query")
    elsewhere = stage.player_session.elsewhere(party=party)
    return doubted(elsewhere, elsewhere.opened("withdraw", "1.00"))


def someone(stage: Stage) -> Operator:
    row = operator()
    row.groups.set(Group.objects.filter(name__in=("risk", "support")))
    return row


def someone_gone(stage: Stage) -> Operator:
    return operator(is_active=False)


def switched_off(stage: Stage) -> PlatformSwitch:
    row = PlatformSwitch.objects.get(name="openings")
    stop(row, actor="test", reason="test")
    return row


def excluded(stage: Stage) -> Player:
    stage.player_session.block("self_excluded")
    return Player.objects.get(pk=stage.player_session.player.pk)


def blocked(stage: Stage) -> Player:
    stage.player_session.block()
    return Player.objects.get(pk=stage.player_session.player.pk)


def limited(stage: Stage) -> Player:
    """A player with an operator's limit, who has asked for a higher one of their own."""
    limit(stage.player_session, "loss", "week", 50_00, set_by="operator")
    limit(stage.player_session, "spend", "day", 50_00)
    change(stage.player_session, "spend", "day", "set", 80_00)
    return Player.objects.get(pk=stage.player_session.player.pk)


def rule(stage: Stage) -> ApprovalRule:
    row, _ = ApprovalRule.objects.get_or_create(kind="change_shop")
    return row


def request_of_another(stage: Stage) -> Approval:
    return request_credit(operator(is_superuser=True), stage.player_session)


def own_request(stage: Stage) -> Approval:
    return request_credit(stage.boss, stage.player_session)


def credential(stage: Stage) -> Credential:
    return make_party().credential


def product(stage: Stage) -> Product:
    return make_product(stage.shop_setup.game, unique("gems"), 9_99, credit=10_00)


def shop(stage: Stage) -> Shop:
    return Shop.objects.create(game=make_party().game, order_url="https://game.example/orders")


def paused_shop(stage: Stage) -> Shop:
    return Shop.objects.create(game=make_party().game, order_url="https://g.example/", paused_at=now())


def provider(stage: Stage) -> Provider:
    return make_provider("standard-webhooks").provider


def stripe(stage: Stage) -> Provider:
    return make_provider("stripe", "whsec_" + uuid4().hex, page_url="").provider


def paid_order(stage: Stage) -> Order:
    return paid_there(stage.shop_setup, sandbox_provider())


def open_refund(stage: Stage) -> Refund:
    refund = request_refund(paid_order(stage).pk, 1_00, actor="test", reason="test")
    owned(Refund).filter(pk=refund.pk).update(next_attempt_at=now() + timedelta(hours=1))
    return Refund.objects.get(pk=refund.pk)


def delivery(stage: Stage) -> Delivery:
    return tried(stage.shop_setup.paid(product="sword"), 503)


def failed_callback(stage: Stage) -> Callback:
    make_orders(stage.shop_setup)
    found = Callback.objects.filter(outcome__in=Callback.TO_LOOK_AT, resolved_at=None).order_by("-pk").first()
    assert found
    return found


def contradicted_order(stage: Stage) -> Doing:
    """An order whose payment named another amount."""
    order = stage.shop_setup.order()
    stage.shop_setup.webhooks.tell("payment.succeeded", order, "3.99")
    callback = Callback.objects.get(order=order)
    return request("accept", "accept_callback", lambda stage: order, callback=str(callback.pk))(stage)


def launched_session(stage: Stage) -> Doing:
    """A session of a player whom a command on the machine has marked as a test player."""
    Player.objects.filter(pk=stage.player_session.player.pk).update(is_test=True)
    player, game = Player.objects.get(pk=stage.player_session.player.pk), stage.player_session.game.slug
    name = "launch_test_session"
    return action(name, name, lambda stage: player, game=game, currency="XAG")(stage)


def undecided_order(stage: Stage) -> Order:
    """An order that was begun at a provider that can be asked."""
    return stage.shop_setup.order(fake_provider=sandbox_provider())


def refused_order(stage: Stage) -> Order:
    """An order whose payment was signed with another secret."""
    order = stage.shop_setup.order()
    body = event_body("payment.succeeded", order)
    fake = stage.shop_setup.webhooks
    assert fake.post(body, fake.signed(body, secret=new_webhook_secret())).status == 401
    return order


def refused_callback(stage: Stage) -> RefusedCallback:
    return RefusedCallback.objects.get(said_order=refused_order(stage).pk)


def secret_of(stage: Stage) -> Doing:
    """The retirement of a secret; its form names the secret."""
    row = provider(stage)
    [secret] = row.secrets.all()
    return request("retire", "retire_secret", lambda stage: row, secret=str(secret.pk))(stage)


def delivery_secret(stage: Stage) -> Doing:
    secret = stage.shop_setup.game.delivery_secrets.first()
    assert secret
    row = stage.shop_setup.shop
    return request("retire", "retire_secret", lambda stage: row, secret=str(secret.pk))(stage)


def receiver(stage: Stage) -> EventReceiver:
    return event_receiver()


def event_secret(stage: Stage) -> Doing:
    row = event_receiver()
    secret = add_event_secret(row, new_webhook_secret(), actor="test")
    return request("retire", "retire_secret", lambda stage: row, secret=str(secret.pk))(stage)


def range_of_deliveries(stage: Stage) -> Doing:
    """An act on no row: what the form says is recorded as after."""
    delivery(stage)
    at = now()
    given = {
        "state": "pending",
        "game": str(stage.shop_setup.game.pk),
        **moment_fields("since", at - timedelta(hours=1)),
        **moment_fields("until", at + timedelta(hours=1)),
    }
    place = address(Delivery, "send_range")
    return Doing(lambda: sent(stage.client, place, reason="Ticket 7", **given)[0], "send_range", "send_range")


def moment_fields(name: str, at: Any) -> dict[str, str]:
    return {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}


def audit_export(stage: Stage) -> Doing:
    given = {"operator": stage.boss.username}
    return Doing(
        lambda: stage.client.post(address(AuditEvent, "export"), given),
        "export_audit_trail",
        "export_audit_trail",
    )


def assigned(row_of: Callable[[Stage], Any]) -> Arranged:
    """An alert or a discrepancy is taken by whoever acts."""

    def arranged(stage: Stage) -> Doing:
        act = action("assign", "assign", row_of, "owner_id", owner=str(stage.boss.pk))
        return act(stage)

    return arranged


def statement_export(stage: Stage) -> Doing:
    player = stage.player_session.player
    place = page(Player, player, "export_statement")
    send = partial(stage.client.post, place, {"as": "csv", "kind": "moved"})
    return Doing(send, "export_statement", "export_statement", player)


def list_export(model: Any) -> Arranged:
    """The export of a list that is narrowed to nothing much."""
    return lambda stage: Doing(
        lambda: stage.client.post(address(model, "export"), {"query": ""}), "export_list", "export_list"
    )


def free_currency(stage: Stage) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    taken = set(Currency.objects.values_list("code", flat=True))
    return next(code for a in letters for b in letters if (code := f"Q{a}{b}") not in taken)


# --- The acts -------------------------------------------------------------------------------------------

ACTS: dict[str, Arranged] = {
    "players.approval.approve": action(
        "approve", "approve", request_of_another, *("state", "decided_by_id"), *("ended_at", "result")
    ),
    "players.approval.decline": action(
        "decline",
        "decline",
        request_of_another,
        *("state", "decided_by_id"),
        *("ended_at", "decision_reason"),
    ),
    "players.approval.withdraw": action(
        "withdraw", "withdraw", own_request, *("state", "decided_by_id"), *("ended_at", "decision_reason")
    ),
    "players.approvalrule.add": added(
        ApprovalRule, "request_change_approval_rule", is_request=True, kind="change_game", hours="9"
    ),
    "players.approvalrule.change": changed(
        "request_change_approval_rule", rule, is_request=True, hours="700"
    ),
    "players.approvalrule.remove": request("remove", "remove_approval_rule", rule),
    "players.auditevent.export": audit_export,
    "players.operator.add": added(
        Operator, "request_open_account", is_request=True, username=lambda stage: unique("new")
    ),
    "players.operator.change": changed("change_operator", someone, "first_name", first_name="Ada"),
    "players.operator.change_roles": action("change_roles", "change_roles", someone, "groups", roles="risk"),
    "players.operator.reset_login": request("reset_login", "open_account", someone),
    "players.operator.deactivate": action("deactivate", "deactivate", someone, "is_active"),
    "players.operator.reactivate": request("reactivate", "open_account", someone_gone),
    "players.game.add": added(
        Game,
        "request_change_game",
        is_request=True,
        slug=lambda stage: unique("g"),
        name="G",
        launch_url="https://g.example/",
    ),
    "players.game.change": changed("change_game", lambda stage: make_party().game, "name", name="Renamed"),
    "players.game.change of where we call": changed(
        "request_change_game",
        lambda stage: make_party().game,
        is_request=True,
        query_url="https://game.example/query",
    ),
    "players.game.deactivate": action(
        "deactivate", "deactivate", lambda stage: make_party().game, "is_active", is_typed=True
    ),
    "players.game.reactivate": request(
        "reactivate", "change_game", lambda stage: make_party(is_active=False).game
    ),
    "players.platformswitch.stop": action(
        "stop",
        "stop",
        lambda stage: PlatformSwitch.objects.get(name="gaming"),
        *("is_active", "switched_at", "switched_by", "reason"),
        is_typed=True,
    ),
    "players.platformswitch.restart": request("restart", "restart_platform", switched_off),
    "players.credential.add": added(
        Credential,
        "request_make_credential",
        is_request=True,
        kind="platform",
        username=lambda stage: unique("front"),
    ),
    "players.credential.change": changed("change_credential", credential, "note", note="n"),
    "players.credential.rotate": request("rotate", "make_credential", credential, username=unique("c")),
    "players.credential.revoke": action("revoke", "revoke", credential, "revoked_at", is_typed=True),
    "players.player.change": changed(
        "change_player", lambda stage: stage.player_session.player, "is_test", "updated_at", is_test="on"
    ),
    "players.player.export_statement": statement_export,
    "players.player.add_note": action(
        "add_note", "add_note", lambda stage: stage.player_session.player, text="Called twice."
    ),
    "players.player.launch_test_session": launched_session,
    "players.player.end_sessions": action(
        "end_sessions", "end_sessions", lambda stage: stage.player_session.player
    ),
    "players.player.block": action(
        "block",
        "block",
        lambda stage: stage.player_session.player,
        *("status", "status_set_by", "updated_at"),
    ),
    "players.player.unblock": action("unblock", "unblock", blocked, "status", "updated_at"),
    "players.player.time_out": action(
        "time_out",
        "time_out",
        lambda stage: stage.player_session.player,
        *("status", "status_set_by", "excluded_until", "updated_at"),
        hours="24",
    ),
    "players.player.self_exclude": action(
        "self_exclude",
        "self_exclude",
        lambda stage: stage.player_session.player,
        *("status", "status_set_by", "excluded_until", "updated_at"),
        until="2080-01-31",
    ),
    "players.player.change_status": action(
        "change_status",
        "change_status",
        lambda stage: stage.player_session.player,
        *("status", "status_set_by", "updated_at"),
        status="blocked",
    ),
    "players.player.change_status that two people lift": action(
        "change_status", "change_status", excluded, status="active"
    ),
    "players.player.set_limit": action(
        "set_limit",
        "set_player_limit",
        lambda stage: stage.player_session.player,
        currency="XAG",
        limit="spend.day",
        game="",
        bound="5.00",
    ),
    "players.player.loosen_limit": request(
        "loosen_limit", "loosen_limit", limited, limit="XAG.loss.week.", bound="70.00"
    ),
    "players.player.cancel_limit_change": action(
        "cancel_limit_change", "cancel_limit_change", limited, limit="XAG.spend.day."
    ),
    "players.gamesession.end": action(
        "end", "end_session", lambda stage: stage.player_session.session(), "ended_at"
    ),
    "wallet.currency.add": added(Currency, "add_currency", code=free_currency, name="Q", decimals="2"),
    "wallet.currency.change": changed(
        "change_currency", lambda stage: Currency.objects.get(code="MRU"), "name", name="Ouguiya"
    ),
    "wallet.payoutlimit.add": added(
        PayoutLimit,
        "request_change_payout_limit",
        is_request=True,
        game=lambda stage: str(make_party().game.pk),
        currency="XAG",
        largest_deposit="5.00",
    ),
    "wallet.payoutlimit.change": changed(
        "request_change_payout_limit", lambda stage: bounded(), is_request=True, largest_deposit=""
    ),
    "wallet.wallet.adjust": request("adjust", "adjust_balance", wallet, type="credit", amount="1.00"),
    "wallet.wallet.write_off": request("write_off", "write_off_debt", indebted, amount="1.00"),
    "wallet.wallet.set_limit": action(
        "set_limit", "set_limit", wallet, "withdrawal_limit", "entry_count", limit="5.00"
    ),
    "wallet.wallet.freeze": action("freeze", "freeze", wallet, "frozen_at", "entry_count"),
    "wallet.wallet.unfreeze": request("unfreeze", "unfreeze_wallet", frozen),
    "wallet.discrepancy.settle": request("settle", "settle_discrepancy", contradicted),
    "wallet.discrepancy.close": action("close", "close", contradicted, *("closed_at", "closed_by", "reason")),
    "wallet.discrepancy.assign": assigned(contradicted),
    "wallet.transaction.ask_now": action("ask_now", "ask_now", pending),
    "wallet.transaction.confirm": request("confirm", "settle_transaction", pending),
    "wallet.transaction.roll_back": request("roll_back", "settle_transaction", pending),
    "wallet.inquiry.confirm": request("confirm", "settle_transaction", inquiry),
    "wallet.inquiry.roll_back": request("roll_back", "settle_transaction", inquiry),
    "wallet.inquiry.requery": action("requery", "requery", inquiry, "next_attempt_at"),
    "wallet.alert.resolve": action(
        "resolve", "resolve", lambda stage: alert(), *("resolved_at", "resolved_by", "reason")
    ),
    "wallet.alert.accept": request("accept", "accept_difference", lambda stage: alert("ledger_difference")),
    "wallet.alert.assign": assigned(lambda stage: alert()),
    "payments.order.accept": contradicted_order,
    "payments.order.deliver_again": action(
        "deliver_again", "deliver_again", lambda stage: delivery(stage).order
    ),
    "payments.order.ask_provider": action("ask_provider", "ask_provider", undecided_order),
    "payments.order.verify_refused": action("verify_refused", "verify_of_order", refused_order),
    "payments.refusedcallback.verify": action("verify", "verify_one", refused_callback, "due_at"),
    "payments.order.refund": request("refund", "refund_order", paid_order, amount="1.00"),
    "payments.refund.requery": action("requery", "requery", open_refund, "next_attempt_at"),
    "payments.callback.resolve": action(
        "resolve", "resolve", failed_callback, *("resolved_at", "resolved_by", "reason")
    ),
    "payments.delivery.send_again": action(
        "send_again", "send_again", delivery, "next_attempt_at", "attempts"
    ),
    "payments.delivery.send_range": range_of_deliveries,
    "payments.product.add": added(
        Product,
        "request_change_product",
        is_request=True,
        game=lambda stage: str(stage.shop_setup.game.pk),
        code=lambda stage: unique("gems"),
        name="Gems",
        credit="5.00",
        credit_currency="XAG",
        **{"prices-0-currency": "EUR", "prices-0-amount": "4.99"},
    ),
    "payments.product.change": changed("change_product", product, "name", name="Renamed"),
    "payments.product.change of its credit": changed(
        "request_change_product", product, is_request=True, credit="9999999.00"
    ),
    "payments.shop.add": added(
        Shop, "request_change_shop", is_request=True, game=lambda stage: str(make_party().game.pk)
    ),
    "payments.shop.change": changed(
        "request_change_shop", shop, is_request=True, order_url="https://evil.example/"
    ),
    "payments.shop.make_secret": request("make_secret", "add_secret", shop),
    "payments.shop.retire": delivery_secret,
    "payments.shop.pause": action("pause", "pause", shop, "paused_at", is_typed=True),
    "payments.shop.resume": action("resume", "resume", paused_shop, "paused_at"),
    "payments.eventreceiver.add": added(
        EventReceiver,
        "request_change_receiver",
        is_request=True,
        name=lambda stage: unique("receiver"),
        url="https://platform.example/events",
    ),
    "payments.eventreceiver.change": changed(
        "request_change_receiver", receiver, is_request=True, url="https://evil.example/"
    ),
    "payments.eventreceiver.make_secret": request("make_secret", "add_secret", receiver),
    "payments.eventreceiver.retire": event_secret,
    "payments.eventreceiver.pause": action("pause", "pause", receiver, "paused_at", is_typed=True),
    "payments.eventreceiver.resume": action(
        *("resume", "resume", lambda stage: event_receiver(paused_at=now()), "paused_at", "next_attempt_at")
    ),
    "payments.provider.add": added(
        Provider,
        "request_change_provider",
        is_request=True,
        slug=lambda stage: unique("till"),
        name="T",
        scheme="standard-webhooks",
        page_url="https://pay.example/",
    ),
    "payments.provider.change": changed("change_provider", provider, "name", name="Renamed"),
    "payments.provider.change of its page": changed(
        "request_change_provider", provider, is_request=True, page_url="https://evil.example/"
    ),
    "payments.provider.verify_refused": action(
        "verify_refused", "verify_of_provider", lambda stage: refused_callback(stage).provider
    ),
    "payments.provider.enter_secret": request(
        "enter_secret", "add_secret", provider, secret=new_webhook_secret()
    ),
    "payments.provider.make_secret": request("make_secret", "add_secret", provider),
    "payments.provider.enter_api_key": request(
        "enter_api_key", "add_secret", stripe, secret="sk_test_" + unique("key")
    ),
    "payments.provider.retire": secret_of,
    "payments.provider.deactivate": action("deactivate", "deactivate", provider, "is_active", is_typed=True),
    "payments.provider.reactivate": request(
        "reactivate",
        "change_provider",
        lambda stage: make_provider("standard-webhooks", is_active=False).provider,
    ),
}
ACTS |= RECONCILIATION_ACTS
ACTS |= {
    f"{model._meta.label_lower}.export": list_export(model) for model in REGISTERED if model is not AuditEvent
}
