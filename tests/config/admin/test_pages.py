"""Every page of the admin opens, says no secret, and lets nobody do more than they may."""

import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.utils.text import slugify

from lib.backoffice.pages import view_permission
from lib.ids import new_id
from lib.security.tokens import token_hash
from payments.models import (
    Callback,
    Delivery,
    Difference,
    EventReceiver,
    Order,
    Product,
    Provider,
    ReconciliationFile,
    ReconciliationSource,
    Refund,
    RefusedCallback,
    Shop,
)
from players.models import Approval, ApprovalRule, Credential, Game, GameSession, Operator, Player, PlayerNote
from tests.support.admin_orders import payment_secrets
from tests.support.admin_pages import (
    INQUIRY_ACTIONS,
    PLAYER_ACTIONS,
    PROVIDER_ACTIONS,
    REGISTERED,
    SHOP_ACTIONS,
    WALLET_ACTIONS,
    address,
    get,
    operator,
    page,
    rows_of,
    signed_in,
)
from tests.support.callers import PlayerSession
from tests.support.shop import ShopSetup
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
    Transaction,
    Wallet,
)

ADDED = {ApprovalRule, Operator, Game, Credential, Currency, PayoutLimit, Product, Shop, Provider}
ADDED |= {ReconciliationSource, EventReceiver}
READ_ONLY = [
    Wallet,
    Transaction,
    ApiCall,
    Discrepancy,
    GameSession,
    Inquiry,
    Alert,
    JobRun,
    Checkpoint,
    ClosedDay,
]
READ_ONLY += [Order, Callback, RefusedCallback, Refund, Delivery, ReconciliationFile, Difference]

# What stands at least in the heads of pages, beside state and reason.
HEADS: dict[Any, set[str]] = {
    Order: {"price", "player", "game", "product"},
    Discrepancy: {"amount", "player", "owner"},
    Provider: {"scheme", "currency"},
    Callback: {"provider"},
    RefusedCallback: {"provider"},
    Refund: {"amount", "player", "order", "provider"},
    Delivery: {"player", "order", "game"},
    Approval: {"about", "requested by"},
    Wallet: {"spendable", "reserved", "player"},
    Transaction: {"amount", "player", "wallet"},
    Alert: {"owner"},
    Game: set(),
    GameSession: {"player", "game", "currency"},
    Shop: {"game"},
    EventReceiver: {"events waiting", "seconds behind"},
    Product: {"prices", "contents", "game"},
    Credential: {"game"},
    JobRun: {"started"},
}


def payment_actions() -> list[str]:
    """The pages of every action on what was dealt last."""
    order, callback, refund, delivery = (
        model.objects.order_by("-pk")[0] for model in (Order, Callback, Refund, Delivery)
    )
    actions = [
        page(Provider, Provider.objects.filter(scheme="standard-webhooks").order_by("pk")[0], action)
        for action in PROVIDER_ACTIONS
    ]
    actions += [page(Shop, Shop.objects.order_by("pk")[0], action) for action in SHOP_ACTIONS]
    actions += [
        page(Callback, callback, "resolve"),
        page(Refund, refund, "requery"),
        page(Delivery, delivery, "send_again"),
    ]
    return [*actions, page(Order, order, "refund"), reverse("admin:payments_delivery_send_range")]


def test_admin_pages__every_model_page_is_known_to_these_tests() -> None:
    assert set(admin.site._registry) == set(REGISTERED)


def test_admin_pages__open_for_superuser_without_token_or_hash(
    client: Client, story: PlayerSession, shop_setup: ShopSetup
) -> None:
    token, credential = story.token, Credential.objects.get(game=story.game)
    secrets = [
        token,
        token_hash(uuid.UUID(token)).hex(),
        bytes(credential.password_hash).hex(),
        str(token_hash(uuid.UUID(token))),
    ]
    secrets += payment_secrets(shop_setup, Order.objects.order_by("-pk")[0])
    places = ["/admin/", *(address(model) for model in REGISTERED)]
    for model, rows in rows_of(story).items():
        assert rows, model
        places += [page(model, row) for row in rows] + [address(model, "history", row.pk) for row in rows[:1]]
    # Its withdrawals are not frozen: the page of unfreezing says so instead.
    places += [page(Wallet, story.wallet(), action) for action in WALLET_ACTIONS if action != "unfreeze"]
    places += [page(Player, story.player, action) for action in PLAYER_ACTIONS]
    places += [page(GameSession, story.session(), "end")]
    places += [page(Credential, credential, action) for action in ("rotate", "revoke")]
    places += [page(Inquiry, Inquiry.objects.get(player=story.player), action) for action in INQUIRY_ACTIONS]
    places += [page(Alert, Alert.objects.filter(resolved_at=None)[0], "resolve")]
    # Refunds of this provider are not for us to ask for: its page says so instead.
    places += [place for place in payment_actions() if not place.endswith("/refund/")]
    for place in places:
        text = get(client, place)
        assert not [secret for secret in secrets if secret in text], place


@pytest.mark.parametrize("model", REGISTERED)
def test_admin_pages__add_form_only_where_meant(client: Client, model: Any) -> None:
    assert client.get(address(model, "add")).status_code == (200 if model in ADDED else 403)


def test_admin_list__says_what_would_fill_it_if_empty(client: Client) -> None:
    assert "Roles are made by" in get(client, address(Group)) or Group.objects.exists()
    assert "Nothing found" in get(client, address(Transaction) + "?q=no-such-id")


def test_admin_pages__unknown_and_malformed_ids_are_no_error(client: Client) -> None:
    for model in (Wallet, Player, Transaction, GameSession, Credential):
        for id in (new_id(), "nonsense"):
            assert client.get(address(model, "change", id)).status_code == 302
    assert client.get(page(Wallet, Wallet(pk=new_id()), "freeze")).status_code == 404


def test_admin_login__stranger_is_redirected_to_it(story: PlayerSession) -> None:
    for place in (address(Transaction), page(Wallet, story.wallet(), "adjust"), address(Player, "find")):
        response = Client().get(place)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")


def test_admin_login__leads_to_the_first_page(boss: Operator) -> None:
    boss.set_password("a password for this test only")
    boss.save()
    response = Client().post(
        "/admin/login/", {"username": boss.username, "password": "a password for this test only"}
    )
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_permissions__view_only_operator_can_do_nothing(viewer: Client, story: PlayerSession) -> None:
    wallet, session = story.wallet(), story.session()
    credential = Credential.objects.get(game=story.game)
    for model, rows in rows_of(story).items():
        assert viewer.get(page(model, rows[0])).status_code == 200
        assert viewer.post(page(model, rows[0]), {}).status_code == 403, model
        assert viewer.get(address(model, "add")).status_code == 403, model
        assert viewer.post(address(model, "delete", rows[0].pk), {"post": "yes"}).status_code == 403, model
    actions = [page(Wallet, wallet, action) for action in WALLET_ACTIONS] + [
        page(Player, story.player, action) for action in PLAYER_ACTIONS
    ]
    actions += [
        page(GameSession, session, "end"),
        page(Credential, credential, "rotate"),
        page(Credential, credential, "revoke"),
    ]
    inquiry, alert = Inquiry.objects.get(player=story.player), Alert.objects.filter(resolved_at=None)[0]
    actions += [page(Inquiry, inquiry, action) for action in INQUIRY_ACTIONS] + [
        page(Alert, alert, "resolve")
    ]
    for place in actions + payment_actions():
        assert viewer.get(place).status_code == 403, place
        assert viewer.post(place, {"reason": "because", "status": "closed"}).status_code == 403, place
    assert page(Wallet, wallet, "freeze") not in get(viewer, page(Wallet, wallet))
    assert page(Inquiry, inquiry, "roll_back") not in get(viewer, page(Inquiry, inquiry))
    assert story.wallet().entry_count == wallet.entry_count
    assert Inquiry.objects.get(pk=inquiry.pk).closed_at is None
    assert Alert.objects.get(pk=alert.pk).resolved_at is None
    assert Player.objects.get(pk=story.player.pk).status == "active"


def test_permissions__operator_without_any_sees_nothing(story: PlayerSession) -> None:
    nobody = signed_in(operator())
    for model, rows in rows_of(story).items():
        assert nobody.get(address(model)).status_code == 403
        assert nobody.get(page(model, rows[0])).status_code == 403
    assert nobody.post(address(Player, "find"), {"q": story.token}).status_code == 403


def test_admin_pages__money_and_history_refuse_superuser_changes(
    client: Client, story: PlayerSession
) -> None:
    for model in READ_ONLY:
        row = rows_of(story)[model][0]
        assert client.post(page(model, row), {"state": "confirmed", "spendable": "1"}).status_code == 403
        assert client.get(address(model, "delete", row.pk)).status_code == 403
        assert "delete_selected" not in get(client, address(model))
    for model in (Player, Game, Credential, Currency, Operator, Product, Shop, Provider):
        assert client.get(address(model, "delete", rows_of(story)[model][0].pk)).status_code == 403


def test_permissions__gates_and_adjustments_are_separate(story: PlayerSession) -> None:
    gatekeeper = signed_in(operator("wallet.view_wallet", "wallet.freeze_wallet"))
    treasurer = signed_in(operator("wallet.view_wallet", "wallet.adjust_balance"))
    wallet = story.wallet()
    assert [gatekeeper.get(page(Wallet, wallet, action)).status_code for action in ("freeze", "adjust")] == [
        200,
        403,
    ]
    assert [treasurer.get(page(Wallet, wallet, action)).status_code for action in ("freeze", "adjust")] == [
        403,
        200,
    ]
    assert treasurer.get(address(Transaction, "add")).status_code == 403


# The pages that show data of others, and whose.
OTHERS = {
    Group: {Operator},
    Player: {ApiCall, Approval, GameSession, Order, PlayerNote, Wallet},
    Game: {Credential, PayoutLimit},
    Transaction: {Wallet, ApiCall, Discrepancy},
    Discrepancy: {ApiCall},
    Inquiry: {ApiCall},
    Order: {Refund, Delivery, Callback, Transaction},
    Shop: {Delivery},
    Provider: {Callback, RefusedCallback},
    ReconciliationFile: {Difference},
}

# Whose rows one must see besides, to see a row of these at all.
BESIDES = {Approval: Wallet}


def models_shown(client: Client, model: Any, row: Any) -> set[Any]:
    """Whose data the sections of a page show; of a page that is not for the operator, nobody's."""
    context: Any = client.get(page(model, row)).context
    return {section.of for section in context["sections"]} if context else set()


@pytest.mark.parametrize("model", REGISTERED)
def test_sections__data_of_others_is_for_who_may_see_their_pages(
    client: Client, story: PlayerSession, model: Any
) -> None:
    row, others = rows_of(story)[model][0], OTHERS.get(model, set())
    assert models_shown(client, model, row) - {model} == others
    needed = [view_permission(each) for each in (model, BESIDES.get(model, model))]
    assert models_shown(signed_in(operator(*needed)), model, row) <= {model}
    for other in others:
        clerk = signed_in(operator(*needed, view_permission(other)))
        assert models_shown(clerk, model, row) - {model} == {other}


@pytest.mark.parametrize("model", [model for model in REGISTERED if model is not Group])
def test_page__opens_with_its_head_then_its_story_then_facts(
    client: Client, story: PlayerSession, model: Any
) -> None:
    response: Any = client.get(page(model, rows_of(story)[model][0]))
    text, head = response.content.decode(), response.context["head"]
    begins, facts = text.index('<section class="wallet-head"'), text.index('<dl class="wallet-facts"')
    assert escape(head.title) in text[begins:facts]
    for section in response.context["sections"]:
        assert begins < text.index(f'id="{slugify(section.title)}"') < facts
    # What nobody edits is no row of a form.
    assert 'class="readonly' not in text


@pytest.mark.parametrize(("model", "labels"), HEADS.items())
def test_page__head_says_state_why_and_what_matters(
    client: Client, story: PlayerSession, model: Any, labels: set[str]
) -> None:
    head = client.get(page(model, rows_of(story)[model][0])).context["head"]
    assert head.badges
    assert head.why
    assert {label for label, _ in head.beside} >= labels


@pytest.mark.parametrize("model", [Callback, RefusedCallback])
def test_callbacks__raw_message_is_for_who_may_read_it(story: PlayerSession, model: Any) -> None:
    row, see = rows_of(story)[model][0], view_permission(model)
    for names, is_shown in (((see,), False), ((see, "payments.read_raw_callback"), True)):
        context: Any = signed_in(operator(*names)).get(page(model, row)).context
        fields = {name for _, options in context["adminform"].fieldsets for name in options["fields"]}
        assert ({"headers_shown", "body_shown"} <= fields) == is_shown
        assert ({"headers_shown", "body_shown"} & fields != set()) == is_shown
