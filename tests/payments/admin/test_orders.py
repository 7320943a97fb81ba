"""Orders with their whole story, how they are found, and refunds initiated by us."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client

from lib.clock import now
from lib.ids import new_id
from payments.approvals import refund as refund_approval
from payments.checkout.payments import start_payment
from payments.models import Callback, Delivery, Order, Payment, Refund
from payments.providers.protocol import RefundResult, RefundStatus
from payments.refunds.worker import lease, record_result
from payments.tasks import refund_task
from players.models import Approval, ApprovalRule
from tests.support.admin_orders import make_orders, paid_there, sandbox_provider
from tests.support.admin_pages import address, approved_by, find, get, operator, page, shown, signed_in
from tests.support.callers import PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.shop import BASE, FakeProvider, ShopSetup, fresh, new_reference, story_of
from wallet.models import Transaction

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?')


@pytest.fixture
def fake_provider(settings: Any) -> FakeProvider:
    """A provider that can be asked for refunds."""
    settings.DEMO = True
    return sandbox_provider()


def written(text: str) -> dict[str, str]:
    """What a form's hidden fields will send."""
    return {name: value for name, value in HIDDEN.findall(text) if name != "csrfmiddlewaretoken"}


def ask(client: Client, order: Order, amount: str = "4.99", reason: str = "did not like it") -> str:
    """The confirmation page that follows when this was written into the first one."""
    first = written(get(client, page(Order, order, "refund")))
    response = client.post(page(Order, order, "refund"), first | {"amount": amount, "reason": reason})
    assert response.status_code == 200, response
    return response.content.decode()


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


# --- The story ------------------------------------------------------------------------------------------


def test_order_page__tells_the_whole_history(client: Client, shop_setup: ShopSetup) -> None:
    order = make_orders(shop_setup)
    text = get(client, page(Order, order))
    words = [
        str(order.pk),
        order.pk.hex,
        order.cp_order_id,
        order.player.uid,
        "20.00 EUR",
        "1,000.00 XAG",
        "250.00 XAG",
        "slot-7",
        "https://game.example/back",
    ]
    words += [
        "duplicate payment",
        "the amount is not the order&#x27;s price".capitalize(),
        "payment for credit",
        "top-up",
        "credit taken back",
    ]
    assert [one for one in words if one not in text.replace("Credit", "credit")] == []
    payments = Payment.objects.filter(order=order)
    named = [
        order.credit_transaction,
        *payments.values_list("transaction", flat=True),
        Refund.objects.get(order=order).return_transaction,
    ]
    rows = [
        *(page(Transaction, Transaction(pk=id)) for id in named),
        *(page(Callback, row) for row in Callback.objects.filter(order=order)),
    ]
    rows += [page(Refund, Refund.objects.get(order=order)), page(Delivery, Delivery.objects.get(order=order))]
    assert [place for place in rows if place not in text] == []


def test_transaction_page__reads_well_for_payment_types(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    refunded(client, second, order, written(ask(client, order)))
    rows = list(Transaction.objects.filter(player=order.player).order_by("pk"))
    assert [row.type for row in rows] == ["payment", "top_up", "set_aside"]
    for row in rows:
        text = get(client, page(Transaction, row))
        assert [row.get_type_display() in text, f"order {order.pk}" in text] == [True, True], row.type
    text = get(client, f"{address(Transaction)}?unfinished=pending&q={order.player.uid}")
    assert ["refund ends it" in text, "set aside" in text, "set_aside<" in text] == [True, True, False]


def test_order_search__finds_by_every_exact_name(client: Client, shop_setup: ShopSetup) -> None:
    order, other = make_orders(shop_setup), shop_setup.paid()
    payment, refund = Payment.objects.get(order=order, is_duplicate=False), Refund.objects.get(order=order)
    for text in (
        str(order.pk),
        order.pk.hex,
        order.cp_order_id,
        order.player.uid,
        payment.reference,
        refund.reference,
    ):
        for model, row in ((Order, order), (Refund, refund), (Delivery, Delivery.objects.get(order=order))):
            found = find(client, model, text)
            assert page(model, row) in found, (model, text)
            assert str(other.pk) not in found, (model, text)
    for callback in Callback.objects.filter(order=order):
        for text in (str(order.pk), callback.message_id, callback.reference, str(callback.pk)):
            assert page(Callback, callback) in find(client, Callback, text), text
    assert shown(str(order.pk)) not in find(client, Order, order.cp_order_id[:-1])


def test_order_search__pasted_token_finds_orders_and_never_shows(
    client: Client, shop_setup: ShopSetup
) -> None:
    player_session = shop_setup.player_session()
    order = shop_setup.paid(player_session, "pack")
    for model in (Order, Callback, Delivery):
        response = client.post(address(model, "find"), {"q": player_session.token})
        assert player_session.token not in response["Location"]
        text = get(client, response["Location"])
        assert [str(order.pk) in text, player_session.token in text] == [True, False], model


def test_order_search__answers_texts_of_every_kind(client: Client, shop_setup: ShopSetup) -> None:
    make_orders(shop_setup)
    for model in (Order, Callback, Refund, Delivery):
        for text in ("'", "%", "session:", f"session:{new_id()}", "ü" * 500, "{}", "f" * 32):
            assert "Nothing found" in find(client, model, text), (model, text)


def test_order_list__filters_by_state(client: Client, shop_setup: ShopSetup) -> None:
    waiting, delivered = shop_setup.paid(product="sword"), shop_setup.paid()
    failed, returned = shop_setup.order(), shop_setup.paid()
    shop_setup.webhooks.tell("payment.failed", failed)
    shop_setup.webhooks.tell("payment.refunded", returned)
    disputed = shop_setup.paid()
    shop_setup.webhooks.tell("payment.charged_back", disputed)
    orders = {
        "waiting": waiting,
        "delivered": delivered,
        "failed": failed,
        "returned": returned,
        "disputed": disputed,
    }
    chosen = {}
    for state in ("paid", "failed", "refunded", "charged_back", "all"):
        chosen[state] = {
            name
            for name, order in orders.items()
            if str(order.pk) in get(client, f"{address(Order)}?state={state}&q={order.player.uid}")
        }
    assert chosen == {
        "paid": {"waiting"},
        "failed": {"failed"},
        "refunded": {"returned"},
        "charged_back": {"disputed"},
        "all": set(orders),
    }


def test_order_page__shows_every_transaction_of_the_order(client: Client, shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    shop_setup.webhooks.tell("payment.refunded", order, "1.00")
    reference = f"dispute-{order.pk}"
    shop_setup.webhooks.tell("payment.charged_back", order, "3.99", reference=reference)
    shop_setup.webhooks.tell("payment.charge_back_reversed", order, "3.99", reference=reference)
    caused = list(
        Transaction.objects.filter(player=order.player).order_by("pk").values_list("type", flat=True)
    )
    assert sorted(caused) == [
        "clawback",
        "clawback",
        "payment",
        "payment",
        "payment_return",
        "payment_return",
        "top_up",
        "top_up",
    ]
    text = get(client, page(Order, order))
    for id in Transaction.objects.filter(player=order.player).values_list("pk", flat=True):
        assert shown(str(id)) in text
    assert "chargeback reversed" in text
    assert "charge back" not in text


# --- Refunds --------------------------------------------------------------------------------------------


def test_refund_form__full_refund_confirms_and_sets_credit_aside(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    assert 'value="4.99"' in get(client, page(Order, order, "refund"))
    text = ask(client, order)
    for words in (
        "4.99 EUR are refunded to",
        "through Sandbox",
        "500.00 XAG of the credit are set aside at once",
        "Reason: did not like it",
    ):
        assert words in text, words
    assert "debt" not in text
    # Nothing has happened yet.
    assert (Refund.objects.filter(order=order).count(), holding(order.player).reserved) == (0, 0)
    response = refunded(client, second, order, written(text))
    assert (response.status_code, response["Location"]) == (302, page(Order, order))
    refund = Refund.objects.get(order=order)
    assert (refund.state, refund.amount, refund.set_aside, refund.reason) == (
        "asked",
        4_99,
        500_00,
        "did not like it",
    )
    assert (holding(order.player).spendable, holding(order.player).reserved) == (0, 500_00)
    assert refund.actor.startswith("operator:")
    assert "A refund of 4.99 EUR was requested" in get(client, address(Order, "history", order.pk))
    done(refund)
    assert (fresh(order).state, holding(order.player).reserved, problems_of(order.player)) == (
        "refunded",
        0,
        [],
    )


def refunded(client: Client, second: Client, order: Order, form: dict[str, str]) -> Any:
    """Requests a refund and has it approved; what the first operator gets."""
    response = client.post(page(Order, order, "refund"), form)
    approved_by(second, Approval.objects.get(pk=form["approval_id"]))
    return response


def done(refund: Refund) -> None:
    """The provider says that the money has gone back."""
    lease(now(), only=refund.pk)
    record_result(refund.pk, RefundResult(RefundStatus.DONE, unique("re")))


def test_refund_form__same_form_twice_is_one_refund(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    form = written(ask(client, order, "1.00"))
    for _ in range(2):
        response = client.post(page(Order, order, "refund"), form)
        assert (response.status_code, "Requested, not done yet" in said(response)) == (302, True)
    assert not Refund.objects.filter(order=order).exists()
    approved_by(second, Approval.objects.get(pk=form["approval_id"]))
    refund = Refund.objects.get(order=order)
    done(refund)
    # Even after its end.
    client.post(page(Order, order, "refund"), form)
    assert (Refund.objects.filter(order=order).count(), fresh(order).refunded) == (1, 1_00)
    assert [what for what, _ in story_of(order)].count("refund_asked") == 1


def test_refund_form__says_that_spent_credit_becomes_debt(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    player_session = shop_setup.player_session()
    order = paid_there(shop_setup, fake_provider, player_session=player_session)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "400.00"))
    text = ask(client, order, "2.50")
    # floor(500.00 * 2.50 / 4.99) = 250.50
    for words in (
        "100.00 XAG of the credit are set aside",
        "150.50 XAG of the credit are spent already",
        "become the player&#x27;s debt",
    ):
        assert words in text, words
    refunded(client, second, order, written(text))
    done(Refund.objects.get(order=order))
    assert (holding(order.player).spendable, holding(order.player).debt, fresh(order).refunded) == (
        0,
        150_50,
        2_50,
    )


def test_refund_form__offers_the_rest_after_a_partial_refund(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    refunded(client, second, order, written(ask(client, order, "1.00")))
    done(Refund.objects.get(order=order))
    text = get(client, page(Order, order, "refund"))
    assert ['value="3.99"' in text, "3.99 EUR of 4.99 EUR can be refunded" in text] == [True, True]


def test_refund_form__duplicate_payment_leaves_credit_alone(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    payment = Payment.objects.get(order=order)
    Payment.objects.create(
        order=order,
        provider=payment.provider,
        state="paid",
        is_duplicate=True,
        amount=4_99,
        reference=unique("ref"),
        started_at=now(),
        paid_at=now(),
    )
    assert "The order was paid twice" in get(client, page(Order, order, "refund"))
    text = ask(client, order)
    assert ["takes no credit" in text, "set aside" in text] == [True, False]
    refunded(client, second, order, written(text))
    assert (Refund.objects.get(order=order).clawback, holding(order.player).spendable) == (0, 500_00)


def paid_again(shop_setup: ShopSetup, fake_provider: FakeProvider, product: str, refunded: str) -> Order:
    """An order that was paid, refunded in part or whole, and paid again."""
    order = shop_setup.order(product=product, start=False)
    for _ in range(2):
        start_payment(order, fake_provider.provider.slug, BASE)
    first, second = Payment.objects.filter(order=order).order_by("pk")
    for type, reference, amount in (
        ("succeeded", first.start_reference, None),
        ("refunded", new_reference(), refunded),
        ("succeeded", second.start_reference, None),
    ):
        told = fake_provider.tell(f"payment.{type}", order, amount, reference=reference)
        assert told.status == 200, told.raw
    return fresh(order)


def test_refund_form__second_payment_after_a_refund_is_no_duplicate(
    client: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_again(shop_setup, fake_provider, "gold", "4.99")
    text = get(client, page(Order, order, "refund"))
    assert ["paid twice" in text, "4.99 EUR of 4.99 EUR can be refunded" in text] == [False, True]


def test_refund_form__says_nothing_of_delivery_while_some_is_kept(
    client: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    text = ask(client, paid_again(shop_setup, fake_provider, "sword", "2.00"), "9.99")
    assert ["9.99 EUR are refunded" in text, "delivery attempts" in text] == [True, False]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"amount": "5.00"}, "At most 4.99 EUR can be refunded."),
    ({"amount": "0"}, "Enter an amount of EUR greater than zero"),
    ({"amount": "1.001"}, "with at most 2 decimals"),
    ({"amount": ""}, "This field is required."),
    ({"reason": ""}, "This field is required."),
    ({"approval_id": "00000000-0000-4000-8000-000000000000"}, "This form was not issued by the platform"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_refund_form__says_why_an_invalid_refund_is_refused(
    client: Client, shop_setup: ShopSetup, fake_provider: FakeProvider, changes: dict[str, str], words: str
) -> None:
    order = paid_there(shop_setup, fake_provider)
    form = (
        written(get(client, page(Order, order, "refund"))) | {"amount": "4.99", "reason": "because"} | changes
    )
    response = client.post(page(Order, order, "refund"), form)
    assert (response.status_code, words in response.content.decode()) == (200, True)
    # Not even where the second page is skipped.
    response = client.post(page(Order, order, "refund"), form | {"confirmed": "1"})
    assert Refund.objects.filter(order=order).count() == 0
    assert holding(order.player).reserved == 0


def test_refund_form__says_why_an_order_is_not_refundable(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    unpaid, theirs, under_way, all_gone = (
        shop_setup.order(),
        shop_setup.paid(),
        paid_there(shop_setup, fake_provider),
        paid_there(shop_setup, fake_provider),
    )
    refunded(client, second, under_way, written(ask(client, under_way, "1.00")))
    fake_provider.tell("payment.refunded", all_gone)
    reasons = {
        unpaid: "This order is not paid.",
        theirs: "takes no refund requests",
        under_way: "is under way",
        all_gone: "has gone back already",
    }
    for order, words in reasons.items():
        before = Refund.objects.filter(order=order).count()
        form = {"amount": "1.00", "reason": "because", "approval_id": str(new_id())}
        for response in (
            client.get(page(Order, order, "refund")),
            client.post(page(Order, order, "refund"), form | {"confirmed": "1"}),
        ):
            assert (response.status_code, words in said(response)) == (302, True), words
        assert Refund.objects.filter(order=order).count() == before
    assert [
        page(Order, order, "refund") in get(client, page(Order, order)) for order in (unpaid, theirs)
    ] == [False, True]


def test_refund_form__moves_money_and_needs_its_own_permission(
    shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    viewer = signed_in(operator("payments.view_order"))
    treasurer = signed_in(operator("payments.view_order", "payments.refund_order"))
    assert [one.get(page(Order, order, "refund")).status_code for one in (viewer, treasurer)] == [403, 200]
    assert (
        viewer.post(
            page(Order, order, "refund"),
            {"amount": "1.00", "reason": "x", "approval_id": str(new_id()), "confirmed": "1"},
        ).status_code
        == 403
    )
    assert treasurer.get(address(Refund, "add")).status_code == 403
    assert Refund.objects.filter(order=order).count() == 0


def test_refund_page__asks_the_provider_again(
    client: Client, second: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    order = paid_there(shop_setup, fake_provider)
    refunded(client, second, order, written(ask(client, order)))
    refund = Refund.objects.get(order=order)
    lease(now(), only=refund.pk)
    record_result(refund.pk, RefundResult(RefundStatus.UNKNOWN, problem="timeout: no answer"))
    waiting = Refund.objects.get(pk=refund.pk)
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at > now()
    text = get(client, address(Refund))
    assert ["outcome unknown" in text, page(Refund, refund) in text] == [True, True]
    assert client.post(page(Refund, refund, "requery"), {"reason": ""}).status_code == 200
    response = client.post(page(Refund, refund, "requery"), {"reason": "their people say it is done"})
    assert (response.status_code, said(response)) == (302, "The provider is being queried.")
    asked = Refund.objects.get(pk=refund.pk)
    assert asked.next_attempt_at is not None
    assert asked.next_attempt_at <= now()
    assert "their people say it is done" in get(client, address(Refund, "history", refund.pk))
    done(refund)
    response = client.post(page(Refund, refund, "requery"), {"reason": "once more"})
    assert "has come to its end" in said(response)
    assert page(Refund, refund) not in get(client, address(Refund))
    assert page(Refund, refund) in get(client, f"{address(Refund)}?state=all")


def test_order__other_players_payments_leave_fixture_seat_alone(story: PlayerSession) -> None:
    assert Order.objects.filter(player=story.player).count() == 0


def test_refund__nudges_the_workers_once_it_is_committed(
    client: Client,
    second: Client,
    shop_setup: ShopSetup,
    fake_provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nudged: list[tuple[object, str, bool]] = []

    def nudge(task: object, id: str) -> None:
        nudged.append((task, id, connection.in_atomic_block))

    monkeypatch.setattr(refund_approval, "nudge", nudge)
    order = paid_there(shop_setup, fake_provider)
    form = written(ask(client, order, "1.00"))
    client.post(page(Order, order, "refund"), form)
    assert nudged == []
    approved_by(second, Approval.objects.get(pk=form["approval_id"]))
    assert nudged == [(refund_task, form["approval_id"], False)]


def test_refund__is_done_alone_up_to_the_amount_of_a_rule(
    client: Client, shop_setup: ShopSetup, fake_provider: FakeProvider
) -> None:
    rule = ApprovalRule.objects.create(
        kind="refund_order", currency_code="EUR", alone_up_to=1_00, alone_per_day=9_00
    )
    order = paid_there(shop_setup, fake_provider)
    for amount, words in (("1.00", "done at once"), ("0.01", "A second person has to approve it")):
        text = ask(client, order, amount)
        assert words in text
        client.post(page(Order, order, "refund"), written(text))
        done(Refund.objects.get(order=order))
    assert (fresh(order).refunded, Refund.objects.filter(order=order).count()) == (1_00, 1)
    rule.delete()
