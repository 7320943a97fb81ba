"""What the game has to know: where it listens, where the platform is, and its secrets."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quantum_wallet import Credential

SLUG = "starfall"


@dataclass(frozen=True, slots=True)
class Product:
    """What players pay for at the platform's checkout. `credit` says what the wallet gets, if anything."""

    id: str
    price: Decimal
    currency: str
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """`game` and `front` call the platform; `query` is what the platform calls us with."""

    platform: str
    data: Path
    host: str
    port: int
    game: Credential
    front: Credential
    query: Credential
    delivery_secret: str = field(repr=False)
    products: tuple[Product, ...] = ()

    @property
    def origin(self) -> str:
        """The platform's origin, as a content security policy names it."""
        parts = urlsplit(self.platform)
        return f"{parts.scheme}://{parts.netloc}"


def read_settings(credentials: Path, *, platform: str, data: Path, host: str, port: int) -> Settings:
    """The settings; `credentials` is the file that `manage.py seed_demo` has written."""
    demo = json.loads(credentials.read_text(), parse_float=Decimal)
    game = next(one for one in demo["games"] if one["slug"] == SLUG)
    products = tuple(read_product(one) for one in demo["products"] if is_sold(one))
    return Settings(
        platform=platform.rstrip("/"),
        data=data,
        host=host,
        port=port,
        game=Credential(game["username"], game["password"]),
        front=Credential(demo["platform"]["username"], demo["platform"]["password"]),
        query=Credential(game["queryUsername"], game["queryPassword"]),
        delivery_secret=game["deliverySecret"],
        products=products,
    )


def is_sold(told: dict[str, Any]) -> bool:
    """Whether it is this game's, at the one price that it offers."""
    return bool(told["game"] == SLUG and told["currencyCode"] == "EUR")


def read_product(told: dict[str, Any]) -> Product:
    credit = told["credit"]
    words = f"{Decimal(credit['amount']):,.2f} {credit['currencyCode']}" if credit else ""
    return Product(told["productId"], Decimal(told["productPrice"]), told["currencyCode"], words)
