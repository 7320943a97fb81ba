"""The examples and refusals of the payments API, for the OpenAPI document."""

from payments import requests
from players.description import described
from players.errors import ErrorCode as Code
from wallet.description import TOKEN
from wallet.responses import ErrorAnswer

ORDER_ID = "019a1fd1-1a0e-7d3a-88a2-ae2720c2b199"
CP_ORDER_ID = "c9c35cf409344312146fa7546a94d1a6"

initiate = described(
    tag="Payments API",
    error=ErrorAnswer,
    request=requests.InitiateRequest,
    answer=requests.InitiateAnswer,
    refusals=(Code.INVALID_REQUEST, Code.UNKNOWN_SESSION, Code.OTHER_CONTENT, Code.PLAYER_BARRED, Code.LIMIT_REACHED),
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
    request=requests.OrderQueryRequest,
    answer=requests.OrderQueryAnswer,
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
