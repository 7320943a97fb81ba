"""Expired transactions, which need a server whose clock can be moved."""

import time
from dataclasses import replace
from typing import TypeAlias

from clients.kit.contract import OPENINGS, TYPES
from clients.kit.expectations import Skipped, Unmet
from clients.kit.session import Session
from clients.kit.trial import Trial

# How many of each type the checks use up together, with some to spare.
SIZE = 10
HOURS = 72
# Until the server's sweep has settled what is due.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.25
NEEDS_CLOCK = "needs a server whose clock can be moved by 72 hours (--clock)"
Expired: TypeAlias = tuple[Session, str]
Stock: TypeAlias = dict[str, list[Expired]]
STOCK_NAME = "expired"


def expired_transaction(trial: Trial, type: str) -> Expired:
    """The session and the id of a transaction of 10.00 that has expired; its player then had 100.00.

    Raises `Skipped` if the server has no clock to move, `Unmet` if nothing expires.
    """
    if not trial.target.has_clock:
        raise Skipped(NEEDS_CLOCK)
    if STOCK_NAME not in trial.shared:
        trial.shared[STOCK_NAME] = try_stock(trial)
    stock: Stock | Unmet = trial.shared[STOCK_NAME]
    if isinstance(stock, Unmet):
        raise stock
    session, mm = stock[type].pop()
    return replace(session, calls=trial), mm


def try_stock(trial: Trial) -> Stock | Unmet:
    """The stock, or why there is none: the clock is moved once, whatever comes of it."""
    try:
        return make_stock(trial)
    except Unmet as unmet:
        return unmet


def make_stock(trial: Trial) -> Stock:
    """Leaves transactions pending, and moves the clock until they have expired."""
    stock = {type: [left_pending(trial, type) for _ in range(SIZE)] for type in TYPES}
    moved = trial.front("/demo/clock", {"hours": HOURS})
    if moved.status != 200 or "errorCode" in moved.body:
        raise Unmet("POST /demo/clock", "a clock that moves by 72 hours", moved.raw.decode(errors="replace"))
    for type in TYPES:
        for session, mm in stock[type]:
            wait_until_expired(session, mm, type)
    return stock


def left_pending(trial: Trial, type: str) -> Expired:
    session = trial.session()
    return session, session.opened(OPENINGS[type], "10.00")


def wait_until_expired(session: Session, mm: str, type: str) -> None:
    """Returns when the server says so (contract 2.4). Raises `Unmet` if it does not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := session.accept("queryTransaction", mm, type=type).body.get("state")) != "expired":
        if time.monotonic() > deadline or state != "pending":
            what = (
                f"The state of a {type} that was pending for {HOURS} hours, of a game that is not asked (one "
                "with a query URL is asked first: choose another by --game)"
            )
            raise Unmet(what, "'expired'", repr(state), "2.4")
        time.sleep(PAUSE_SECONDS)
