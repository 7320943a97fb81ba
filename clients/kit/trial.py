"""What a check works with: callers, players that nobody else uses, and the exchanges so far."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from clients.kit.calls import Calls
from clients.kit.expectations import Unmet
from clients.kit.parties import Login
from clients.kit.session import Session

Result = TypeVar("Result")


@dataclass
class Trial(Calls):
    """One run of one check."""

    # What several checks share, made by the first that asks.
    shared: dict[str, Any] = field(default_factory=dict)

    def new_player(self, **attributes: object) -> str:
        """The uid of a player that nobody had before."""
        uid = f"kit-{uuid.uuid4().hex[:20]}"
        self.accepted("PUT /entry/players", self.put_player(uid, **{"nickname": "Conformance", **attributes}))
        return uid

    def launch(self, uid: str, game: Login | None = None, currency: str = "", **extra: object) -> Session:
        """A new session of a player in a game. Raises `Unmet` if it cannot be started."""
        game, currency = game or self.target.game, currency or self.target.currency
        asked = {"uid": uid, "game": game.slug, "currencyCode": currency, **extra}
        launched = self.accepted("launch", self.front("/entry/launch", asked))
        token = launched.body.get("token")
        if not isinstance(token, str):
            raise Unmet("launch", "a token", repr(launched.body), "3")
        return Session(self, game, uid, token, currency, launched)

    def session(self, funds: str = "100.00", **attributes: object) -> Session:
        """A new player with a live session in the game, who can spend `funds`."""
        session = self.launch(self.new_player(**attributes))
        if Decimal(funds):
            session.fund(funds)
        return session

    # --- At the same instant ---

    def together(self, actions: Sequence[Callable[[], Result]]) -> list[Result]:
        """Does all of them at the same instant, a thread and a connection each; their results, in order."""
        barrier = threading.Barrier(len(actions))
        results: list[Result | Exception] = [RuntimeError("not begun")] * len(actions)

        def act(index: int) -> None:
            try:
                self.wire.connect()
                barrier.wait()
                results[index] = actions[index]()
            except Exception as problem:  # noqa: BLE001 (raised again below, in the check's own thread)
                barrier.abort()
                results[index] = problem
            finally:
                self.wire.close()

        threads = [threading.Thread(target=act, args=(index,)) for index in range(len(actions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results_of(results)


def results_of(results: Sequence[Result | Exception]) -> list[Result]:
    """The results; raises what was raised instead of one, first of all what kept the others waiting."""
    problems = [result for result in results if isinstance(result, Exception)]
    for problem in sorted(problems, key=lambda problem: isinstance(problem, threading.BrokenBarrierError)):
        raise problem
    return [result for result in results if not isinstance(result, Exception)]
