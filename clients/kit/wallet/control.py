"""How a game's tests steer the scripted wallet: choose a scenario, then ask for the verdict."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from clients.kit.wallet import amounts
from clients.kit.wallet.amounts import show
from clients.kit.wallet.calls_to_game import NotCalled, call_game
from clients.kit.wallet.record import Body, Goods, Seen
from clients.kit.wallet.run import Options, Run, start_run
from clients.kit.wallet.scenarios import BY_NAME, SCENARIOS, Scenario
from clients.kit.wallet.verdict import Verdict, judge

CONTROL = "/kit/"
Reply = tuple[int, dict[str, Any]]


class Wrong(Exception):
    """What is wrong with a request of the tests."""


@dataclass
class Control:
    """The scenario under way, and the verdicts of those before it."""

    options: Options
    url: str = ""
    run: Run | None = None
    done: dict[str, Verdict] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    tell_seen: Callable[[Seen], None] = lambda _: None
    tell_verdict: Callable[[Verdict], None] = lambda _: None

    def answer(self, method: str, path: str, raw: bytes) -> Reply:
        """Status and body for a request under /kit/."""
        acts: dict[tuple[str, str], Callable[[Body], dict[str, Any]]] = {
            ("GET", "scenarios"): lambda _: {"scenarios": [told(one) for one in SCENARIOS]},
            ("POST", "scenario"): self.choose,
            ("POST", "call"): self.call,
            ("POST", "goods"): self.note_goods,
            ("GET", "report"): lambda _: self.report(),
        }
        act = acts.get((method, path.removeprefix(CONTROL)))
        if act is None:
            known = ", ".join(f"{name} {CONTROL}{where}" for name, where in acts)
            return 404, {"problem": f"There is: {known}."}
        try:
            return 200, act(amounts.read(raw) if raw else {})
        except (ValueError, Wrong, NotCalled) as problem:
            return 400, {"problem": str(problem)}

    def choose(self, body: Body) -> dict[str, Any]:
        """Begins a scenario, with a new player and a new session. Raises Wrong."""
        scenario = BY_NAME.get(str(body.get("name")))
        if scenario is None:
            raise Wrong(f"There is no such scenario; there are {', '.join(BY_NAME)}.")
        with self.lock:
            self.finish()
            self.run = start_run(scenario, self.options, url=self.url, tell=self.tell_seen)
            book = self.run.book
        started = {"token": book.token, "playerId": book.player, "balance": book.balance()}
        minor = 15_00 if scenario.amount is None else scenario.amount
        return told(scenario) | started | {"amount": show(minor, book.currency)}

    def current(self) -> Run:
        """Raises Wrong if no scenario was chosen."""
        if self.run is None:
            raise Wrong(f"Choose a scenario first: POST {CONTROL}scenario.")
        return self.run

    def call(self, _: Body) -> dict[str, Any]:
        """Makes the calls that the scenario has for the game. Raises Wrong, NotCalled."""
        heard = call_game(self.current())
        return {"heard": [{"what": one.what, "status": one.status, "isRight": one.is_right} for one in heard]}

    def note_goods(self, body: Body) -> dict[str, Any]:
        """Notes that the game gave goods for an id, or took them back. Raises Wrong."""
        id, count = body.get("id"), body.get("count", Decimal(1))
        if not isinstance(id, str) or not isinstance(count, Decimal) or count != int(count):
            raise Wrong("id must be a text, and count a whole number.")
        with self.current().record.reading() as record:
            record.goods.append(Goods(id, int(count), time.monotonic()))
        return {}

    def report(self) -> dict[str, Any]:
        """The verdicts until now; that of the scenario under way stands last, and beside them."""
        with self.lock:
            last = judge(self.run) if self.run else None
            verdicts = {**self.done, **({last.name: last} if last else {})}
        current = last.as_data() if last else None
        return {"current": current, "verdicts": [one.as_data() for one in verdicts.values()]}

    def finish(self) -> list[Verdict]:
        """Judges the scenario under way for good. Returns all verdicts."""
        with self.lock:
            if self.run:
                verdict = judge(self.run)
                self.done[verdict.name], self.run = verdict, None
                self.tell_verdict(verdict)
            return list(self.done.values())


def told(scenario: Scenario) -> dict[str, Any]:
    """A scenario as the tests read it."""
    names = ("name", "paragraph", "task", "wallet", "game")
    return {name: getattr(scenario, name) for name in names}
