"""docs/payments.md: the delivery is signed as it says, and the body of a provider's callback is taken."""

import json
from pathlib import Path
from typing import NamedTuple

from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signatures.order_notify import Notification
from tests.documents.examples import blocks
from tests.support.callers import holding
from tests.support.shop import ShopSetup, fresh, new_reference

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "payments.md"


class Request(NamedTuple):
    """A request as a document shows it."""

    line: str
    headers: dict[str, str]
    body: str


def read_request(text: str) -> Request:
    """Of a body on several lines the breaks are left out."""
    head, _, body = text.partition("\n\n")
    line, *headers = head.splitlines()
    named = (header.partition(": ") for header in headers)
    return Request(line, {name: value for name, _, value in named}, "".join(body.splitlines()))


def shown() -> tuple[Request, str]:
    """All of its examples: the delivery, and the callback's body."""
    (_, flow), (http, delivery), (kind, callback) = blocks(DOCUMENT)
    assert (flow.count("\n") > 3, http, kind) == (True, "http", "json")
    return read_request(delivery), callback


def test_delivery__is_signed_as_shown() -> None:
    delivery, _ = shown()
    secret = standard_webhooks.PUBLISHED_SECRET
    assert f"`{secret}`" in DOCUMENT.read_text()
    fields, headers = json.loads(delivery.body), delivery.headers
    assert fields["sign"] == order_notify.sign(Notification(**fields), secret)
    at = int(headers["webhook-timestamp"])
    signature = standard_webhooks.sign(headers["webhook-id"], at, delivery.body.encode(), secret)
    assert headers["webhook-signature"] == signature
    assert fields["ts"] == f"{at}000"


def test_callback__of_the_body_shown_pays(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    told = json.loads(shown()[1])
    assert told["data"].keys() == {"orderId", "providerReference", "amount", "currencyCode"}
    told["data"] |= {"orderId": str(order.pk), "providerReference": new_reference()}
    body = json.dumps(told).encode()
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body)).status == 200
    assert (fresh(order).state, holding(order.player).spendable) == ("delivered", 500_00)
