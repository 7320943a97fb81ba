"""The feed of events, read as the platform reads it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.callers import Answer, Caller
from wallet.events.cursor import cursor_at
from wallet.events.positions import BATCH, number_events
from wallet.models import Event

# What a wallet's own accounts are called in an event.
HELD = {"spendable": "balance", "reserved": "reserved", "debt": "debt"}


def feed_end() -> str:
    """The cursor after all that is committed."""
    while number_events() == BATCH:
        pass
    last = Event.objects.order_by("-position").first()
    return str(cursor_at(last)) if last else ""


@dataclass
class Reader:
    """Whoever follows the feed from a cursor on."""

    front: Caller
    after: str

    def get(self, **given: object) -> Answer:
        return self.front.send("GET", f"/entry/events?{urlencode(given)}")

    def read(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The next events."""
        answer = self.get(**{"limit": limit} | ({"after": self.after} if self.after else {}))
        assert (answer.status, answer.error) == (200, None), answer.raw
        self.after = answer.body["next"]
        events: list[dict[str, Any]] = answer.body["events"]
        return events


def rebuilt(events: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """What each player holds in each currency by the movements of the events alone; each line is there once
    and in its order, and says the same.
    """
    held: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        if "line" not in event:
            continue
        key = event["playerId"], event["balance"]["currencyCode"]
        wallet = held.setdefault(key, {"line": 0, "spendable": 0, "reserved": 0, "debt": 0})
        assert event["line"] == wallet["line"] + 1, (key, event["line"], wallet["line"])
        wallet["line"] = event["line"]
        move(wallet, event)
        for account, told in HELD.items():
            assert wallet[account] == event[told]["amount"], (key, event)
    return held


def move(wallet: dict[str, Any], event: dict[str, Any]) -> None:
    """Debt grows by debits, what the platform owes the player by credits."""
    for side, sign in (("debit", -1), ("credit", 1)):
        if (account := event.get(side)) in HELD:
            wallet[account] += sign * (-1 if account == "debt" else 1) * event["amount"]["amount"]
