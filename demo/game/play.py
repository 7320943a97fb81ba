"""What players do: each act makes its ids, stores them, and only then calls the platform."""

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from demo.game.clock import GameClock
from demo.game.moves import Heard, Move, Plan, State, asked, code_of, final_state, heard, next_step
from demo.game.platform_client import PlatformClient
from demo.game.settings import Product
from demo.game.store import GameOrder, Store, Visit
from demo.game.wire import story
from quantum_wallet import FinalState, Money, NotAccepted, Step, Transaction, Unanswered, WalletError
from quantum_wallet.shapes import InitiateRequest, OrderQueryAnswer, SessionAnswer

TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# What the shop sells, in whole units of the wallet's currency.
PRICES = {"Lantern": 15, "Telescope": 120, "Comet": 45}
# What the stars in the sky are worth to whoever catches them.
STARS = (5, 10, 25, 10, 5)
FREE_ROUND, FREE_PRIZE = "Free round", 12
# Free rounds: a present to begin with, and what the products bring.
WELCOME_ROUNDS = 3
ROUNDS = {"wm.spin.1": 10, "starter-pack": 5}
# How long the game asks after an order that nobody pays.
WATCHED_SECONDS = 1800

Answer = TypeVar("Answer")
WHY = {
    ("withdrawal", Step.OPEN): "Reserves the price: it leaves the spendable balance at once, and waits.",
    ("deposit", Step.OPEN): "Announces a win: nothing is spendable yet.",
    ("withdrawal", Step.CONFIRM): "The player has the goods: now the game earns the reserved money.",
    ("deposit", Step.CONFIRM): "The win is final: now the player can spend it.",
    ("withdrawal", Step.ROLL_BACK): "The sale is off: whatever was reserved goes back to the player.",
    ("deposit", Step.ROLL_BACK): "The win does not count: the platform forgets it.",
}
ASKED = "The platform has asked, and settled: the game repeats its own word, and hears how it ended."
AGAIN = "The last try had no answer, so the same call goes out again: repeating it is always safe. "


class NotPlayed(Exception):
    """Why an act did not happen, as a sentence for the player."""


@dataclass
class Game:
    """The game: what is stored, and who the platform is. Used by many threads."""

    platform: PlatformClient
    store: Store
    clock: GameClock
    # What each player can spend, as far as the game has heard.
    balances: dict[str, Decimal] = field(default_factory=dict)
    # Transactions that a thread is working on.
    busy: set[str] = field(default_factory=set)
    # Who has the page open, and when it last asked.
    seen: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # --- Coming in ---

    def enter(self, token: str) -> Visit:
        """The visit of whoever comes with this session token. Raises NotPlayed."""
        if not TOKEN.fullmatch(token):
            raise NotPlayed("There is no session in this address.")
        told = self.platform.call("", lambda: self.platform.wallet.verify_session(token))
        if isinstance(told, WalletError):
            raise NotPlayed(sentence(told))
        exponent = told.balance.amount.as_tuple().exponent
        visit = Visit(
            uuid.uuid4().hex,
            token,
            told.player_id,
            told.nickname or told.player_id,
            told.balance.currency,
            -exponent if isinstance(exponent, int) else 0,
        )
        return self.store.add_visit(visit)

    def greet(self, visit: Visit) -> bool:
        """Asks who the player is and what they have. Returns whether the session is live."""
        why = "The page was opened: is the session live, and whose is it?"
        with story(visit.uid, "Come in"):
            answer = self.call(visit, why, lambda: self.platform.wallet.verify_session(visit.token))
        return isinstance(answer, SessionAnswer)

    def call(self, visit: Visit, why: str, act: Callable[[], Answer]) -> Answer | WalletError:
        """One call about a player; the balance that it tells is noted."""
        answer = self.platform.call(why, act)
        balance = getattr(answer, "balance", None)
        if isinstance(balance, Money) and balance.currency == visit.currency:
            self.balances[wallet_of(visit)] = balance.amount
        return answer

    def send(self, visit: Visit, one: Transaction, why: str) -> Heard:
        """Makes the call of a transaction's next step."""
        act = self.platform.wallet.open if one.step == Step.OPEN else self.platform.wallet.settle
        return self.call(visit, why, lambda: act(one))

    def look(
        self, visit: Visit, why: str = "What can be spent now? A repeated answer has the balance of its time."
    ) -> None:
        """Reads the balance."""
        self.call(visit, why, lambda: self.platform.wallet.get_balance(visit.token))

    def balance(self, visit: Visit) -> Decimal | None:
        """What the player could spend when the game last heard of it."""
        return self.balances.get(wallet_of(visit))

    # --- Transactions ---

    def new_move(self, visit: Visit, type: str, amount: Decimal, item: str, plan: Plan) -> Move:
        """A transaction, stored before anything is sent: whatever happens, its id stays the same."""
        at = time.time()
        return self.store.keep(
            Move(
                str(uuid.uuid4()),
                visit.id,
                visit.uid,
                type,
                amount,
                visit.currency,
                item,
                plan,
                State.OPENING,
                at,
                at,
            )
        )

    def drive(self, move: Move) -> Move:
        """Makes the calls of a transaction, one after the other, until one has to wait or none is left."""
        with self.working_on(move.id) as is_mine:
            return self.advance(self.store.find_move(move.id) or move) if is_mine else move

    def advance(self, move: Move) -> Move:
        """The same, for a thread that has the transaction to itself."""
        visit = self.store.find_visit(move.visit)
        while visit and move.next_try_at is not None and move.next_try_at <= time.time():
            move = self.step(visit, move)
        return move

    def step(self, visit: Visit, move: Move) -> Move:
        """One call, and what its answer changes."""
        one = next_step(move, visit.token)
        if one is None:
            return self.store.keep(replace(move, next_try_at=None))
        why = ASKED if move.told and move.state != State.OPENING else WHY[one.type, one.step]
        answer = self.send(visit, one, (AGAIN if move.tries else "") + why)
        return self.store.keep(heard(move, answer, time.time()))

    @contextmanager
    def working_on(self, id: str) -> Iterator[bool]:
        """Whether this thread has the transaction to itself."""
        with self.lock:
            is_mine = id not in self.busy
            self.busy.add(id)
        try:
            yield is_mine
        finally:
            if is_mine:
                with self.lock:
                    self.busy.discard(id)

    # --- The shop and the sky ---

    def buy(self, visit: Visit, item: str) -> str:
        """Withdraw, hand out, confirm. Returns what to tell the player. Raises NotPlayed."""
        with story(visit.uid, f"Buy: {item}"):
            move = self.drive(self.new_move(visit, "withdrawal", price_of(visit, item), item, Plan.CONFIRM))
        if move.state == State.REFUSED:
            raise NotPlayed(refusal(move))
        return f"{item}: it is yours." if move.state == State.CONFIRMED else unfinished(move)

    def change_mind(self, visit: Visit, item: str) -> str:
        """Withdraw, and roll back. Returns and raises as `buy`."""
        with story(visit.uid, f"Change your mind: {item}"):
            move = self.drive(self.new_move(visit, "withdrawal", price_of(visit, item), item, Plan.ROLL_BACK))
        if move.state == State.REFUSED:
            raise NotPlayed(refusal(move))
        return (
            f"{item}: put back, and nothing was paid."
            if move.state == State.ROLLED_BACK
            else unfinished(move)
        )

    def catch_star(self, visit: Visit, star: int) -> str:
        """Deposit and confirm what a star is worth. Returns and raises as `buy`."""
        if not 0 <= star < len(STARS):
            raise NotPlayed("There is no such star.")
        move = self.new_move(visit, "deposit", visit.amount(STARS[star]), "Star", Plan.CONFIRM)
        return self.win(move, "Catch a star")

    def free_round(self, visit: Visit) -> str:
        """A round without a stake. Returns and raises as `buy`."""
        with self.lock:  # the last one is played once, however many tabs there are
            if self.free_rounds(visit.uid) < 1:
                raise NotPlayed("There is no free round left. Ten more are for sale below.")
            move = self.new_move(visit, "deposit", visit.amount(FREE_PRIZE), FREE_ROUND, Plan.CONFIRM)
        # An amount of zero is refused (101), so the stake of a free round is no call at all.
        return self.win(move, "Free round: no stake, so no withdrawal")

    def win(self, move: Move, title: str) -> str:
        with story(move.uid, title):
            move = self.drive(move)
        if move.state == State.REFUSED:
            raise NotPlayed(refusal(move))
        return f"+{move.amount} {move.currency}" if move.state == State.CONFIRMED else unfinished(move)

    def free_rounds(self, uid: str) -> int:
        """How many free rounds a player has left."""
        bought = sum(ROUNDS.get(product, 0) * number for product, number in self.store.delivered(uid).items())
        return max(0, WELCOME_ROUNDS + bought - self.store.count_moves(uid, FREE_ROUND))

    # --- Top up ---

    def top_up(self, visit: Visit, product_id: str) -> GameOrder:
        """A new order, whose page is the platform's checkout. Raises NotPlayed."""
        product = next((one for one in self.platform.settings.products if one.id == product_id), None)
        if product is None:
            raise NotPlayed("The game does not sell that.")
        with story(visit.uid, f"Top up: {product.id}"):
            return self.order(
                visit, product, "Starts an order. The player pays it at the platform's checkout, not with us."
            )

    def order(self, visit: Visit, product: Product, why: str) -> GameOrder:
        """Starts an order. Raises NotPlayed."""
        order = self.store.keep_order(
            GameOrder(uuid.uuid4().hex, visit.id, visit.uid, product.id, "starting")
        )
        asked = InitiateRequest(
            token=visit.token,
            cp_order_id=order.id,
            product_id=product.id,
            product_price=product.price,
            currency_code=product.currency,
            server_id=1,
        )
        answer = self.platform.call(why, lambda: self.platform.wallet.initiate_order(asked))
        if isinstance(answer, WalletError):
            raise NotPlayed(sentence(answer))
        return self.store.keep_order(
            replace(order, state=answer.state, page=answer.payment_url, platform_id=answer.order_id)
        )

    def follow_order(self, order: GameOrder) -> None:
        """Asks how an order stands; only a change is told."""
        visit = self.store.find_visit(order.visit)
        if visit is None:
            return
        answer = self.ask_after(order, "")
        state = order.state if isinstance(answer, WalletError) else answer.state
        if state == order.state:
            return
        self.store.keep_order(replace(order, state=state))
        with story(visit.uid, f"Top up: {order.product}"):
            self.ask_after(order, f"How does the order stand? It is {state} now.")
            self.look(visit, "The order has moved on: what can be spent now?")

    def ask_after(self, order: GameOrder, why: str) -> OrderQueryAnswer | WalletError:
        """How the platform has an order."""
        return self.platform.call(why, lambda: self.platform.wallet.query_order(order.id))

    # --- What the platform asks ---

    def answer_query(self, id: str) -> tuple[FinalState, str]:
        """The state that a final-state query is answered, and our record of the platform's own id."""
        move = self.store.find_move(id)
        state = final_state(move)
        if move is None:
            return state, ""
        self.store.keep(asked(move, time.time()))
        return state, move.qw_id


def wallet_of(visit: Visit) -> str:
    return f"{visit.uid} {visit.currency}"


def price_of(visit: Visit, item: str) -> Decimal:
    """Raises NotPlayed."""
    if item not in PRICES:
        raise NotPlayed("The shop does not have that.")
    return visit.amount(PRICES[item])


def refusal(move: Move) -> str:
    """Why the platform did not open a transaction."""
    return REFUSALS.get(move.code, f"The platform refused it ({move.code}).")


def sentence(problem: WalletError) -> str:
    """Why a call did not succeed."""
    if isinstance(problem, Unanswered):
        return "The platform does not answer at the moment. Try again."
    told = problem.status if isinstance(problem, NotAccepted) else code_of(problem)
    return REFUSALS.get(code_of(problem), f"The platform refused it ({told}).")


def unfinished(move: Move) -> str:
    return f"No answer yet: the game repeats the call until there is one ({move.state})."


REFUSALS = {
    101: "The platform finds the request invalid.",
    102: "This session has ended. Launch the game again from the lobby.",
    103: "This player may not play at the moment.",
    104: "There is not enough money for that. Top up, or catch a star.",
    105: "The wallet has another currency.",
    108: "It was rolled back already.",
    111: "A limit is reached.",
}
