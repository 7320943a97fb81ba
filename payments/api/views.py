"""The payments API of a game backend: reads a request, calls one operation, answers (contract 4.1)."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from lib.clock import timestamp
from lib.http.errors import invalid
from lib.http.requests import fit, read_object, whole_number
from lib.http.responses import json_answer
from payments.api import errors, openapi
from payments.api.schemas import (
    InitiateAnswer,
    InitiateRequest,
    OrderQueryAnswer,
    OrderQueryRequest,
    printable,
    storable,
)
from payments.checkout.payments import checkout_url
from payments.models import Order
from payments.orders.operations import Wanted, find_order, initiate_order
from players.access.api_view import ApiView, who_calls
from players.access.gate import Call
from players.api.requests import read_token
from wallet.api.requests import CURRENCY_CODE
from wallet.currencies import decimals_of
from wallet.money import InvalidAmount, to_major, to_minor

MOST_SERVER_ID = 10**18


def game_of(call: Call) -> UUID:
    """The game that calls."""
    game_id = call.caller.game_id
    if game_id is None:
        raise AssertionError("the gate lets only games' credentials through")
    return game_id


class PaymentsView(ApiView):
    """A call of a game about orders; outcomes are answered as `payments.api.errors` says."""

    def refusal(self, problem: Exception) -> Exception:
        return errors.refusal(problem)


@openapi.initiate
class Initiate(PaymentsView):
    """Starts an order: the player pays it at `paymentUrl`. Repeated with the same content, the same order."""

    shape = InitiateRequest

    def post(self, request: Request) -> HttpResponse:
        plain = request._request  # noqa: SLF001 (DRF offers no other way to the bytes)
        call = who_calls(request)
        wanted = read_wanted(fit(read_object(plain), self.shape))
        order = initiate_order(game_of(call), wanted, actor=call.caller.actor)
        return json_answer(
            InitiateAnswer(
                str(order.pk), checkout_url(order, base_of(plain)), order.state, timestamp(order.expires_at)
            )
        )


@openapi.query
class Query(PaymentsView):
    """What has become of an order."""

    shape = OrderQueryRequest

    def handle(self, call: Call, given: OrderQueryRequest) -> HttpResponse:
        order = find_order(game_of(call), printable(given.cpOrderId, "cpOrderId"))
        return json_answer(
            OrderQueryAnswer(
                orderId=str(order.pk),
                cpOrderId=order.cp_order_id,
                state=order.state,
                productId=order.product_code,
                productPrice=major(order, order.price),
                currencyCode=order.currency_id,
                refunded=major(order, order.refunded),
                deliveredAt=timestamp(order.delivered_at) if order.delivered_at else None,
            )
        )


def base_of(request: HttpRequest) -> str:
    """Where the platform was called, for the address of the checkout.

    A name that is not ours counts for nothing.
    """
    try:
        return request.build_absolute_uri("/")
    except DisallowedHost:
        return f"{request.scheme}://{settings.ALLOWED_HOSTS[0]}/"


def read_wanted(given: InitiateRequest) -> Wanted:
    """The request in minor units. Raises 101."""
    token = read_token(given.token)
    # What is no currency has no product that costs that; a lone surrogate meets no database.
    currency = given.currencyCode if CURRENCY_CODE.match(given.currencyCode) else ""
    decimals = decimals_of(currency)
    if decimals is None:
        raise invalid("Price mismatch: the currency is unknown.")
    return Wanted(
        token_hash=token,
        cp_order_id=printable(given.cpOrderId, "cpOrderId"),
        product_code=printable(given.productId, "productId"),
        price=read_price(given.productPrice, decimals),
        currency=currency,
        server_id=whole_number(given.serverId, "serverId", -MOST_SERVER_ID, MOST_SERVER_ID),
        ext_params="" if given.extParams is UNSET else storable(given.extParams, "extParams"),
        return_url="" if given.returnUrl is UNSET else printable(given.returnUrl, "returnUrl"),
    )


def read_price(price: Any, decimals: int) -> int:
    """`productPrice` in minor units. Raises 101."""
    try:
        return to_minor(price, decimals)
    except InvalidAmount as problem:
        raise invalid(f"productPrice {problem}") from problem


def major(order: Order, minor: int) -> Decimal:
    """Minor units of the order's currency in major units."""
    decimals = decimals_of(order.currency_id)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    return to_major(minor, decimals)
