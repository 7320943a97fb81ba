"""The examples and refusals of the payments API, and how providers call back, for the OpenAPI document."""

from typing import Any

from lib.http.errors import ErrorCode as Code
from lib.http.openapi import described
from lib.http.responses import ErrorAnswer
from payments.api import schemas
from payments.providers.protocol import EventType
from payments.providers.signatures import order_notify
from players.api.openapi import TOKEN

ORDER_ID = "019a1fd1-1a0e-7d3a-88a2-ae2720c2b199"
CP_ORDER_ID = "c9c35cf409344312146fa7546a94d1a6"

initiate = described(
    tag="Payments API",
    error=ErrorAnswer,
    request=schemas.InitiateRequest,
    answer=schemas.InitiateAnswer,
    refusals=(
        Code.INVALID_REQUEST,
        Code.UNKNOWN_SESSION,
        Code.OTHER_CONTENT,
        Code.PLAYER_BARRED,
        Code.LIMIT_REACHED,
    ),
    sends={
        "token": TOKEN,
        "cpOrderId": CP_ORDER_ID,
        "productId": "wm.spin.1",
        "productPrice": 4.99,
        "currencyCode": "EUR",
        "serverId": 10001,
        "extParams": "",
        "returnUrl": "https://starfall.example/back",
    },
    gets={
        "orderId": ORDER_ID,
        "paymentUrl": "https://wallet.example.com/checkout/4pUeB0bXcXq0w1mFz1y5nJ2k",
        "state": "created",
        "expiresAt": "2026-11-22T12:00:00.000Z",
    },
)
query = described(
    tag="Payments API",
    error=ErrorAnswer,
    request=schemas.OrderQueryRequest,
    answer=schemas.OrderQueryAnswer,
    refusals=(Code.INVALID_REQUEST, Code.TRANSACTION_NOT_FOUND),
    sends={"cpOrderId": CP_ORDER_ID},
    gets={
        "orderId": ORDER_ID,
        "cpOrderId": CP_ORDER_ID,
        "state": "delivered",
        "productId": "wm.spin.1",
        "productPrice": 4.99,
        "currencyCode": "EUR",
        "refunded": 0.00,
        "deliveredAt": "2026-11-22T11:30:00.000Z",
    },
)

EVENT = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"enum": [str(type) for type in EventType]},
        "data": {
            "type": "object",
            "required": ["orderId", "providerReference", "amount", "currencyCode"],
            "properties": {
                "orderId": {"type": "string", "format": "uuid"},
                "providerReference": {
                    "type": "string",
                    "description": "The provider's id of this payment, refund or dispute.",
                },
                "amount": {"type": "number", "description": "In major units, exact."},
                "currencyCode": {"type": "string"},
            },
        },
    },
}
NOTIFICATION = {
    "type": "object",
    "required": [name for name in order_notify.NAMES if name != "extParams"],
    "properties": {name: {"type": "string"} for name in order_notify.NAMES},
    "description": (
        "`sign`: the upper-case hexadecimal MD5 of "
        "cpOrderId + serverId + uid + productPrice + productId + ts + secret."
    ),
}
SAID = {
    "200": "Taken, also where it came before.",
    "401": "The signature is missing or wrong, or the message is too old.",
    "404": "There is no such provider, or (the signature being right) no such order.",
    "413": "The body is longer than 64 KiB.",
    "422": "It contradicts the order.",
    "500": "An unhandled failure; repeat the call.",
    "503": "The database is unavailable; repeat the call after Retry-After seconds.",
}


def header(name: str, meaning: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": meaning,
    }


def add_callbacks(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describes `/pay/<provider>` (a postprocessing hook).

    Its bodies are signed by their bytes and read by no serializer.
    """
    parameters = [
        {"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}},
        header("webhook-id", "Standard Webhooks: the id of the message, the same at each repetition."),
        header("webhook-timestamp", "Standard Webhooks: seconds since 1970, at most five minutes from now."),
        header(
            "webhook-signature",
            "Standard Webhooks: `v1,` and the HMAC-SHA256 over id, time and raw body; "
            "several are divided by spaces.",
        ),
    ]
    bodies = {
        "application/json": {"schema": {"anyOf": [EVENT, NOTIFICATION]}},
        order_notify.FORM: {"schema": NOTIFICATION},
    }
    result["paths"]["/pay/{provider}"] = {
        "post": {
            "operationId": "callBack",
            "tags": ["Providers' callbacks"],
            "summary": "A payment provider calls back",
            "description": (
                "By the provider's scheme: Standard Webhooks 1.0, order-notify, or the provider's own. "
                "Verified over the raw body."
            ),
            "parameters": parameters,
            "requestBody": {"required": True, "content": bodies},
            "security": [{}],
            "responses": {status: {"description": meaning} for status, meaning in SAID.items()},
        }
    }
    return result
