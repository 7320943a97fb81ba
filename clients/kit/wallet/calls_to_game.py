"""What the scripted wallet calls the game with: final-state queries, deliveries (contract 2.4, 4.3)."""

import hashlib
import hmac
import http.client
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from urllib.parse import urlsplit

from clients.kit import exact_json
from clients.kit.wallet import amounts
from clients.kit.wallet.amounts import show
from clients.kit.wallet.api import basic
from clients.kit.wallet.book import CONFIRMED, EXPIRED, ROLLED_BACK, Transaction
from clients.kit.wallet.orders import PRODUCTS, Order
from clients.kit.wallet.record import Body, Heard
from clients.kit.wallet.run import Options, Run

TIMEOUT_SECONDS = 20.0
UNKNOWN_ID = "never-used-by-the-game"
# In the order in which they are signed.
SIGNED = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
OTHER_SECRET = "whsec_" + b64encode(b"the secret of somebody else").decode()
HOUR = 3600
MOST_BYTES = 64 * 1024
TAKEN, REFUSED = "2xx", "401"


class NotCalled(Exception):
    """Why the game cannot be called now, for whoever asked for it."""


def call_game(run: Run) -> list[Heard]:
    """Makes the calls of a run's scenario. Raises NotCalled."""
    return [CALLS[what](run) for what in run.scenario.calls_game]


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer; 0 and the reason if there is none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as problem:
        return 0, f"no answer: {type(problem).__name__}".encode()
    finally:
        connection.close()


# --- The final-state query ---


def query(run: Run) -> Heard:
    """Asks how the first unfinished transaction ended, and settles it by the answer. Raises NotCalled."""
    with run.lock:
        known = next((one for one in run.book.transactions.values() if one.state == "pending"), None)
    if known is None:
        raise NotCalled("No transaction is pending: the game has not come that far.")
    confirms = run.record.of("confirmWithdrawal", "confirmDeposit")
    expected = "CONFIRMED" if any(one.key == (known.type, known.id) for one in confirms) else "ROLLED_BACK"
    state, status, text = ask(run, known, access(run.options))
    with run.lock:
        if state in SETTLES:
            run.book.settle(known, SETTLES[state])
    what = "The final-state query"
    return note(run, what, f"200 and {expected}", status, text, is_right=state == expected)


SETTLES = {"CONFIRMED": CONFIRMED, "ROLLED_BACK": ROLLED_BACK, "UNKNOWN": EXPIRED}


def query_unknown(run: Run) -> Heard:
    state, status, text = ask(run, stranger(), access(run.options))
    what = "The query about an unknown id"
    return note(run, what, "200 and UNKNOWN", status, text, is_right=state == "UNKNOWN")


def query_refused(what: str, password: str | None) -> Callable[[Run], Heard]:
    """A query that the game has to refuse."""

    def call(run: Run) -> Heard:
        name = run.options.query_username
        headers = {} if password is None else {"Authorization": basic(name, password)}
        _, status, text = ask(run, stranger(), headers)
        return note(run, what, REFUSED, status, text, is_right=status in (400, 401, 403))

    return call


def stranger() -> Transaction:
    return Transaction("withdrawal", UNKNOWN_ID, None)


def access(options: Options) -> dict[str, str]:
    return {"Authorization": basic(options.query_username, options.query_password)}


def ask(run: Run, one: Transaction, headers: dict[str, str]) -> tuple[str, int, str]:
    """The state that the game answers (nothing if it cannot be used), the status, and the body."""
    if not run.options.query_url:
        raise NotCalled("The wallet was started without --query-url.")
    minor = one.content.amount if one.content else 15_00
    body: Body = {"mmTransactionId": one.id, "qwTransactionId": one.qw_id, "playerId": run.book.player}
    body |= {"type": one.type, "amount": show(minor, run.book.currency)}
    status, raw = post(run.options.query_url, exact_json.write(body).encode(), headers)
    try:
        said = amounts.read(raw) if status == 200 else {}
    except ValueError:
        said = {}
    is_other = str(said.get("qwTransactionId", one.qw_id)).lower() != one.qw_id
    return "" if is_other else str(said.get("state", "")), status, raw.decode(errors="replace")


# --- Deliveries ---


Shape = Callable[[Run, Order], tuple[Body, dict[str, str]]]


def delivery(what: str, expected: str, shape: Shape) -> Callable[[Run], Heard]:
    """Tells the game to deliver its first order; `shape` makes the body and the headers."""

    def call(run: Run) -> Heard:
        order = paid_order(run)
        fields, headers = shape(run, order)
        status, raw = post(run.options.delivery_url, write(fields), headers)
        is_taken = 200 <= status < 300
        if is_taken and expected == TAKEN:
            with run.lock:
                run.api.orders.deliver(order)
        is_right = is_taken if expected == TAKEN else 400 <= status < 500
        return note(run, what, expected, status, raw.decode(errors="replace"), is_right=is_right)

    return call


def paid_order(run: Run) -> Order:
    """The game's first order, which has been paid. Raises NotCalled."""
    if not run.options.delivery_url or not run.options.delivery_secret:
        raise NotCalled("The wallet was started without --delivery-url or --delivery-secret.")
    with run.lock:
        order = next(iter(run.api.orders.known.values()), None)
        if order is None:
            raise NotCalled("The game has started no order.")
        if order.state == "created":
            order.state = "paid"
    return order


def genuine(run: Run, order: Order) -> tuple[Body, dict[str, str]]:
    return signed(run, order, run.options.delivery_secret)


def by_other_secret(run: Run, order: Order) -> tuple[Body, dict[str, str]]:
    return signed(run, order, OTHER_SECRET)


def unsigned(run: Run, order: Order) -> tuple[Body, dict[str, str]]:
    fields, _ = genuine(run, order)
    return fields | {"sign": ""}, {"webhook-id": order.delivery_id}


def shifted(run: Run, order: Order) -> tuple[Body, dict[str, str]]:
    """A digit moves from the price to the product: run together, the fields are the same."""
    fields, headers = genuine(run, order)
    price = str(fields["productPrice"])
    return fields | {"productPrice": price[:-1], "productId": price[-1] + str(fields["productId"])}, headers


def old(run: Run, order: Order) -> tuple[Body, dict[str, str]]:
    return signed(run, order, run.options.delivery_secret, int(time.time()) - HOUR)


def signed(run: Run, order: Order, secret: str, at: int | None = None) -> tuple[Body, dict[str, str]]:
    """The eight fields, and the headers of Standard Webhooks."""
    seconds = int(time.time()) if at is None else at
    content = order.content
    fields: Body = {
        "uid": run.book.player,
        "serverId": str(content["serverId"]),
        "cpOrderId": order.cp_id,
        "productId": content["productId"],
        "productPrice": str(PRODUCTS[content["productId"]]),
        "extParams": content.get("extParams", ""),
        "ts": str(seconds * 1000),
    }
    text = "".join(str(fields[name]) for name in SIGNED) + secret
    fields["sign"] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()
    head = f"{order.delivery_id}.{seconds}.".encode()
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), head + write(fields), "sha256")
    signature = f"v1,{b64encode(digest).decode()}"
    return fields, {
        "webhook-id": order.delivery_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature,
    }


def write(fields: Body) -> bytes:
    return exact_json.write(fields).encode()


def note(run: Run, what: str, expected: str, status: int, text: str, *, is_right: bool) -> Heard:
    """Writes down what the game answered."""
    heard = Heard(what, expected, is_right, status, text[:1000])
    with run.record.reading() as record:
        record.heard.append(heard)
    return heard


CALLS: dict[str, Callable[[Run], Heard]] = {
    "query": query,
    "query-unknown": query_unknown,
    "query-without-password": query_refused("The query without a password", None),
    "query-wrong-password": query_refused("The query with a wrong password", "wrong"),
    "delivery": delivery("The delivery", TAKEN, genuine),
    "delivery-again": delivery("The same delivery again", TAKEN, genuine),
    "delivery-other-secret": delivery("The delivery signed with another secret", REFUSED, by_other_secret),
    "delivery-unsigned": delivery("The delivery without signatures", REFUSED, unsigned),
    "delivery-shifted": delivery("The delivery with a shifted digit", REFUSED, shifted),
    "delivery-old": delivery("The delivery signed an hour ago", REFUSED, old),
}
