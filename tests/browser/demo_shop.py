"""A platform of its own, as `make run` sells on it; in the tests everything goes over HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from payments.demo import PROVIDERS, demo_provider, demo_shop
from players.demo import demo_game
from players.models import Game
from players.operations import create_credential
from tests.faults.platform_processes import Platform, eventually
from tests.support.callers import Caller, basic, unique
from tests.support.web_server import free_port

# Nothing but payments has to be quick.
PACE = {
    "SETTLE_SECONDS": "60",
    "RECENT_AUDIT_SECONDS": "300",
    "DELIVER_SECONDS": "1",
    "REFUND_SECONDS": "1",
    "OUTGOING_TOTAL_SECONDS": "3",
    "WEB_WORKERS": "1",
}


@dataclass(frozen=True)
class Customer:
    """A player with a session, and the game that speaks for them."""

    game: Caller
    token: str

    def balance(self) -> str:
        """What the wallet API says."""
        answer = self.game.post("/wallet/getBalance", {"token": self.token})
        assert answer.status == 200, answer.raw
        return answer.balance

    def order(self, product: str = "coins-500", price: str = "4.99", **further: object) -> "PaymentRequest":
        """A new order, begun over the payments API."""
        cp_order_id = unique("cp")
        told = {
            "token": self.token,
            "cpOrderId": cp_order_id,
            "productId": product,
            "productPrice": Decimal(price),
            "currencyCode": "EUR",
            "serverId": 10001,
        }
        answer = self.game.post("/payments/initiate", told | further)
        assert (answer.status, answer.error) == (200, None), answer.raw
        return PaymentRequest(self, cp_order_id, answer.body["paymentUrl"])


@dataclass(frozen=True)
class PaymentRequest:
    """An order, as its game knows it."""

    customer: Customer
    cp_order_id: str
    url: str

    def state(self) -> str:
        return str(self.told()["state"])

    def told(self) -> dict[str, object]:
        """What the payments API says of it."""
        answer = self.customer.game.post("/payments/query", {"cpOrderId": self.cp_order_id})
        assert answer.status == 200, answer.raw
        return answer.body


@dataclass(frozen=True)
class Shop:
    """The platform's address, its web front, and a game that sells."""

    platform: Platform
    url: str
    front: Caller
    game: Caller
    slug: str

    def customer(self, language: str = "en") -> Customer:
        """A new player with an empty wallet, as the web front makes and launches them."""
        uid = unique("p")
        assert self.front.put(f"/entry/players/{uid}", {"language": language}).status == 200
        answer = self.front.post("/entry/launch", {"uid": uid, "game": self.slug, "currencyCode": "XAG"})
        return Customer(self.game, answer.body["token"])


def open_shop(platform: Platform, static: Path) -> Shop:
    """Fills a platform as `make run` does, and starts it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    platform.environment.update(PACE | {"DEMO": "1", "PUBLIC_URL": url, "STATIC_ROOT": str(static)})
    platform.migrate()
    # The files of the admin are many, and nobody looks at it here.
    collected = platform.manage(
        "collectstatic",
        "--no-input",
        "--verbosity=0",
        "--ignore=admin",
        "--ignore=unfold",
        "--ignore=drf_spectacular_sidecar",
    )
    assert collected.returncode == 0, collected.stderr
    game = demo_game("starfall")
    demo_shop(game, url)
    for slug, scheme, name, currency in PROVIDERS:
        demo_provider(slug, scheme, name, currency, url, kept=None)
    shop = Shop(platform, url, caller("platform", None, url), caller("game", game, url), game.slug)
    for name in ("worker", "beat"):
        platform.start(name)
    platform.serve(port)
    eventually(lambda: answers_at(url), "the web server answers")
    return shop


def caller(kind: str, game: Game | None, url: str) -> Caller:
    """A new credential, in use over HTTP."""
    credential, password = create_credential(
        kind=kind, game=game, username=unique("c"), allowed_networks=[], note=""
    )
    return Caller(basic(credential.username, password), url=url)


def answers_at(url: str) -> bool:
    """Whether a platform is ready there."""
    try:
        return Caller(None, url=url).send("GET", "/readyz").status == 200
    except OSError:
        return False
