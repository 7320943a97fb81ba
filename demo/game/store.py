"""What must outlive a restart: transactions, whose end the platform may ask for, orders, and deliveries."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from demo.game.moves import Move, Plan, State

TABLES = """
create table if not exists visits (
    id text primary key, token text not null unique, uid text not null, nickname text not null,
    currency text not null, places integer not null, came_at real not null
);
create table if not exists moves (
    id text primary key, visit text not null references visits, uid text not null, type text not null,
    amount text not null, currency text not null, item text not null, plan text not null, state text not null,
    next_try_at real, made_at real not null, tries integer not null, told text not null, qw_id text not null,
    code integer not null
);
create index if not exists moves_due on moves (next_try_at) where next_try_at is not null;
create index if not exists moves_of_player on moves (uid, made_at);
create table if not exists orders (
    id text primary key, visit text not null references visits, uid text not null, product text not null,
    state text not null, page text not null, platform_id text not null, made_at real not null
);
create table if not exists deliveries (
    id text primary key, uid text not null, product text not null, order_id text not null,
    came_at real not null
);
"""
MOVE_COLUMNS = (
    *("id", "visit", "uid", "type", "amount", "currency", "item", "plan", "state", "next_try_at", "made_at"),
    *("tries", "told", "qw_id", "code"),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A player at the game, with the session that the platform launched.

    Its random `id` stands in the page's address; the token stays with us. `places` are the currency's
    decimals.
    """

    id: str
    token: str
    uid: str
    nickname: str
    currency: str
    places: int

    def amount(self, number: int) -> Decimal:
        """A whole amount in this visit's currency."""
        return Decimal(number).quantize(Decimal(1).scaleb(-self.places))


@dataclass(frozen=True, slots=True)
class GameOrder:
    """An order, by the game's own id; the platform's is `platform_id`. `page` is where it is paid."""

    id: str
    visit: str
    uid: str
    product: str
    state: str
    page: str = ""
    platform_id: str = ""


class Store:
    """One SQLite file, used by one statement at a time; each change is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # It holds tokens.
        path.touch(mode=0o600)
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.row_factory = sqlite3.Row
        self.database.execute("pragma journal_mode = wal")
        self.database.executescript(TABLES)

    def close(self) -> None:
        with self.lock:
            self.database.close()

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """What a statement finds, after it has changed what it changes."""
        with self.lock:
            return self.database.execute(statement, values).fetchall()

    @contextmanager
    def changed(self, statement: str, *values: Any) -> Iterator[int]:
        """How many rows a statement has changed."""
        with self.lock:
            yield self.database.execute(statement, values).rowcount

    # --- Visits ---

    def add_visit(self, visit: Visit) -> Visit:
        """The visit with that token: this one, or the one that is there already."""
        self.rows(
            "insert into visits values (?, ?, ?, ?, ?, ?, ?)"
            " on conflict (token) do update set nickname = excluded.nickname",
            *(visit.id, visit.token, visit.uid, visit.nickname, visit.currency, visit.places, time.time()),
        )
        return read_visit(self.rows("select * from visits where token = ?", visit.token)[0])

    def find_visit(self, id: str) -> Visit | None:
        found = self.rows("select * from visits where id = ?", id)
        return read_visit(found[0]) if found else None

    # --- Transactions ---

    def keep(self, move: Move) -> Move:
        """Stores a transaction as it is now."""
        places = ", ".join("?" * len(MOVE_COLUMNS))
        values = [str(move.amount) if name == "amount" else getattr(move, name) for name in MOVE_COLUMNS]
        self.rows(f"replace into moves ({', '.join(MOVE_COLUMNS)}) values ({places})", *values)  # noqa: S608
        return move

    def find_move(self, id: str) -> Move | None:
        found = self.rows("select * from moves where id = ?", id)
        return read_move(found[0]) if found else None

    def due_moves(self, at: float) -> list[Move]:
        found = self.rows("select * from moves where next_try_at <= ? order by next_try_at limit 50", at)
        return [read_move(row) for row in found]

    def latest_moves(self, uid: str, most: int) -> list[Move]:
        """A player's transactions, the newest first."""
        found = self.rows("select * from moves where uid = ? order by made_at desc limit ?", uid, most)
        return [read_move(row) for row in found]

    def open_moves(self, uid: str) -> list[Move]:
        """What was left pending, or has not been answered yet."""
        unfinished = (State.OPEN, State.OPENING, State.CONFIRMING, State.ROLLING_BACK)
        found = self.rows(
            "select * from moves where uid = ? and state in (?, ?, ?, ?) order by made_at desc limit 20",
            *(uid, *unfinished),
        )
        return [read_move(row) for row in found]

    def goods(self, uid: str) -> dict[str, int]:
        """How many of each thing a player has: what was handed out, and nothing else."""
        found = self.rows(
            "select item, count(*) as number from moves"
            " where uid = ? and type = 'withdrawal' and state in (?, ?) group by item",
            *(uid, State.CONFIRMING, State.CONFIRMED),
        )
        return {row["item"]: row["number"] for row in found}

    def count_moves(self, uid: str, item: str) -> int:
        """How often a player has had this, whatever became of it."""
        found = self.rows("select count(*) from moves where uid = ? and item = ?", uid, item)
        return int(found[0][0])

    # --- Orders and deliveries ---

    def keep_order(self, order: GameOrder) -> GameOrder:
        self.rows(
            "insert into orders values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update"
            " set state = excluded.state, page = excluded.page, platform_id = excluded.platform_id",
            *(getattr(order, name) for name in GameOrder.__slots__),
            time.time(),
        )
        return order

    def latest_orders(self, uid: str, most: int) -> list[GameOrder]:
        found = self.rows("select * from orders where uid = ? order by made_at desc limit ?", uid, most)
        return [GameOrder(*(row[name] for name in GameOrder.__slots__)) for row in found]

    def watched_orders(self, since: float) -> list[GameOrder]:
        """Those made since then whose end the game does not know."""
        found = self.rows("select * from orders where made_at > ? and state in ('created', 'paid')", since)
        return [GameOrder(*(row[name] for name in GameOrder.__slots__)) for row in found]

    def add_delivery(self, id: str, *, uid: str, product: str, order_id: str) -> bool:
        """Remembers a delivery by the id that all of its attempts share. Returns whether it is new."""
        statement = "insert into deliveries values (?, ?, ?, ?, ?) on conflict (id) do nothing"
        with self.changed(statement, id, uid, product, order_id, time.time()) as number:
            return number == 1

    def delivered(self, uid: str) -> dict[str, int]:
        """How often each product was delivered to a player."""
        found = self.rows(
            "select product, count(*) as number from deliveries where uid = ? group by product", uid
        )
        return {row["product"]: row["number"] for row in found}


def read_visit(row: sqlite3.Row) -> Visit:
    return Visit(*(row[name] for name in Visit.__slots__))


def read_move(row: sqlite3.Row) -> Move:
    told = {name: row[name] for name in MOVE_COLUMNS}
    told |= {"amount": Decimal(row["amount"]), "plan": Plan(row["plan"]), "state": State(row["state"])}
    return Move(**told)
