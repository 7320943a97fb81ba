"""Acts on secrets, providers, shops, products and orders."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from payments.approvals.acceptance import AcceptancePayload
from payments.approvals.catalogue import CREDIT, PRICES, PRODUCT_CHANGE
from payments.approvals.endpoints import PROVIDER_CHANGE, RECEIVER_CHANGE, SHOP_CHANGE
from payments.approvals.refund import RefundPayload
from payments.approvals.secrets import LABELS, NewSecretPayload, RetirementPayload
from payments.models import Callback, EventReceiver, Order, Price, Product, Provider, Refund, Secret, Shop
from payments.providers.signing_secrets import (
    add_callback_secret,
    add_delivery_secret,
    add_event_secret,
    fingerprint_of,
    new_webhook_secret,
    replace_api_secret,
    retire_secret,
    shown_fingerprint,
)
from payments.refunds.operations import present, request_refund
from tests.support.admin_orders import event_receiver, paid_there, sandbox_provider
from tests.support.callers import make_party, unique
from tests.support.kind_cases.case import Case, Draw, Others, Words, configured
from tests.support.shop import make_product, make_provider
from wallet.currencies import show_amount

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def live_fingerprints(purpose: str, owner_id: UUID) -> str:
    """The live secrets, newest first."""
    owner = {{"delivery": "game_id", "events": "receiver_id"}.get(purpose, "provider_id"): owner_id}
    rows = Secret.objects.filter(purpose=purpose, retired_at=None, **owner).order_by("-created_at", "-pk")
    return ", ".join(shown_fingerprint(row.fingerprint) for row in rows) or "none"


def owner_with_secrets(draw: Draw, purpose: str) -> tuple[Any, UUID, Any]:
    """Who has secrets of this purpose, whose id secrets name, and how one is added."""
    if purpose == "delivery":
        shop = Shop.objects.create(game=make_party().game, order_url="https://game.example/orders")
        return shop, shop.game_id, partial(add_delivery_secret, shop.game)
    if purpose == "events":
        receiver = event_receiver()
        return receiver, receiver.pk, partial(add_event_secret, receiver)
    if purpose == "api":
        provider = make_provider("stripe", f"whsec_{uuid4().hex}", page_url="").provider
        return provider, provider.pk, partial(replace_api_secret, provider)
    provider = make_provider("standard-webhooks").provider
    return provider, provider.pk, partial(add_callback_secret, provider)


def fresh_secret(purpose: str) -> str:
    return f"sk_test_{uuid4().hex}" if purpose == "api" else new_webhook_secret()


def new_secret(draw: Draw) -> Case:
    purpose = draw.one("callback", "api", "delivery", "events")
    _, owner_id, add = owner_with_secrets(draw, purpose)
    for _ in range(draw.number(0, 2)):
        add(fresh_secret(purpose), actor="test")
    secret = fresh_secret(purpose)
    label = LABELS[Secret.Purpose(purpose)]
    payload = NewSecretPayload(owner_id, purpose, shown_fingerprint(fingerprint_of(secret)))
    others: Others = [partial(add, fresh_secret(purpose), actor="other")]
    return Case(payload, lambda: {label: live_fingerprints(purpose, owner_id)}, others, secret)


def retirement(draw: Draw) -> Case:
    purpose = draw.one("callback", "api", "delivery", "events")
    _, owner_id, add = owner_with_secrets(draw, purpose)
    made = [add(fresh_secret(purpose), actor="test") for _ in range(draw.number(1, 3))]
    live = [one for one in made if Secret.objects.get(pk=one.pk).retired_at is None]
    one, label = draw.one(*live), LABELS[Secret.Purpose(purpose)]
    others: Others = [
        partial(retire_secret, one, actor="other"),
        partial(add, fresh_secret(purpose), actor="other"),
    ]
    return Case(RetirementPayload(one.pk), lambda: {label: live_fingerprints(purpose, owner_id)}, others)


def provider_change(draw: Draw) -> Case:
    is_new = draw.one(True, False)
    row = Provider(slug=unique("till"), name="T", scheme="standard-webhooks", page_url="https://p.example/")
    if not is_new:
        row.save()
    after = {
        **PROVIDER_CHANGE.values(row),
        "name": draw.text(),
        "is_active": draw.one(True, False),
        "currency": draw.one(None, "EUR", "JPY"),
        "page_url": draw.url(),
        "is_live": draw.one(True, False),
        "timeout_seconds": draw.number(1, 30),
        "allowed_networks": draw.networks(),
    }
    others: Others = (
        [partial(make_provider, "standard-webhooks", slug=row.slug)]
        if is_new
        else [
            partial(
                Provider.objects.filter(pk=row.pk).update,
                name="otherwise, by another",
                page_url="https://other.example/",
                allowed_networks=["198.51.100.1"],
            )
        ]
    )
    return configured(PROVIDER_CHANGE, row, after, *others, is_new=is_new)


def shop_change(draw: Draw) -> Case:
    is_new = draw.one(True, False)
    row = Shop(game=make_party().game, order_url=draw.url(), return_origins=["https://g.example"])
    if not is_new:
        row.save()
    origins = draw.one([], ["https://a.example"], ["https://a.example", "https://b.example:8443"])
    after = {**SHOP_CHANGE.values(row), "order_url": draw.url(), "return_origins": origins}
    others: Others = (
        [partial(Shop.objects.create, game=row.game)]
        if is_new
        else [
            partial(
                Shop.objects.filter(pk=row.pk).update,
                order_url="https://other.example/",
                return_origins=["https://other.example"],
            )
        ]
    )
    return configured(SHOP_CHANGE, row, after, *others, is_new=is_new)


def receiver_change(draw: Draw) -> Case:
    is_new = draw.one(True, False)
    row = EventReceiver(name=unique("receiver"), url=draw.url(may_be_empty=False), types=["limit."])
    if not is_new:
        row.save()
    types = draw.one([], ["withdrawal."], ["order.", "wallet.frozen"])
    after = {**RECEIVER_CHANGE.values(row), "url": draw.url(may_be_empty=False), "types": types}
    others: Others = (
        [partial(event_receiver, name=row.name)]
        if is_new
        else [
            partial(
                EventReceiver.objects.filter(pk=row.pk).update,
                url="https://other.example/",
                types=["debit."],
            )
        ]
    )
    return configured(RECEIVER_CHANGE, row, after, *others, is_new=is_new)


def product_change(draw: Draw) -> Case:
    is_new, game = draw.one(True, False), draw.shop_setup.game
    if is_new:
        row = Product(game=game, code=unique("gems"), name="G", credit=1, credit_currency_id="XAG")
    else:
        row = make_product(game, unique("gems"), draw.number(1, 99_99), credit=draw.number(1, 10**9))
    begins = draw.one(None, BEGIN)
    credit = draw.one(None, [draw.number(1, 10**9), "XAG"], [5, "JPY"])
    after = {
        **PRODUCT_CHANGE.values(row),
        "name": draw.text(),
        "name_de": draw.one("", "Edelsteine"),
        "is_delivered": credit is None or draw.one(True, False),
        "on_sale_from": begins and begins.isoformat(),
        "on_sale_to": draw.one(None, (BEGIN + timedelta(days=draw.number(1, 99))).isoformat()),
        CREDIT: credit,
        PRICES: draw.one({"EUR": 4_99}, {"EUR": 1, "JPY": 500}, {"BHD": draw.number(1, 10**6)}),
    }
    others: Others = (
        [partial(make_product, game, row.code, 1_00, credit=1)]
        if is_new
        else [
            partial(reprice, row, 77),
            partial(
                Product.objects.filter(pk=row.pk).update,
                name="otherwise, by another",
                credit=10**9 + 1,
                credit_currency="XAG",
            ),
        ]
    )
    return configured(PRODUCT_CHANGE, row, after, *others, is_new=is_new)


def reprice(product: Product, amount: int) -> None:
    Price.objects.filter(product=product).update(amount=amount)
    Product.objects.filter(pk=product.pk).update(name="otherwise, by another")


def refund(draw: Draw) -> Case:
    setup = draw.shop_setup
    player_session = setup.player_session()
    product = draw.one("gold", "pack", "sword")
    order = paid_there(setup, sandbox_provider(), product, player_session)
    spent = draw.number(0, order.credit or 0)
    if spent:
        player_session.adjust("debit", spent)
    payload = RefundPayload(order.pk, draw.number(1, order.price + 1))

    def shows() -> Words:
        """What the provider is asked for counts as returned: the refund has to come to its end first."""
        snapshot = present(Order.objects.get(pk=order.pk))
        asked = sum(row.amount for row in snapshot.refunds if row.state in Refund.OPEN)
        return {"Paid and not returned": show_amount(snapshot.kept - asked, order.currency_id)}

    def told() -> list[str]:
        begun = Refund.objects.filter(order=order).latest("pk")
        if not begun.set_aside:
            return []
        aside = show_amount(begun.set_aside, "XAG")
        then = "they are released to the player if the provider refuses."
        return [f"{aside} of the credit are set aside at once; {then}"]

    others: Others = [partial(request_refund, order.pk, 1, actor="other", reason="r")]
    if (order.credit or 0) > spent and payload.amount == order.price:
        others.append(partial(player_session.adjust, "debit", 1))
    return Case(payload, shows, others, told=told)


def acceptance(draw: Draw) -> Case:
    """A payment of less or more than the price; meanwhile the genuine one may come."""
    setup = draw.shop_setup
    order = setup.order(setup.player_session())
    setup.webhooks.tell("payment.succeeded", order, draw.one("0.01", "3.99", "6.00"))
    callback = Callback.objects.get(order=order)

    def shows() -> Words:
        snapshot = present(Order.objects.get(pk=order.pk))
        return {
            "Order": snapshot.order.get_state_display(),
            "Paid and not returned": show_amount(snapshot.kept, order.currency_id),
            "Credit that the player has of it": show_amount(snapshot.credited, "XAG"),
        }

    others: Others = [partial(setup.webhooks.tell, "payment.succeeded", order, "4.99")]
    return Case(AcceptancePayload(order.pk, callback.pk), shows, others)


CASES = {
    "accept_callback": acceptance,
    "add_secret": new_secret,
    "retire_secret": retirement,
    "change_provider": provider_change,
    "change_shop": shop_change,
    "change_receiver": receiver_change,
    "change_product": product_change,
    "refund_order": refund,
}
