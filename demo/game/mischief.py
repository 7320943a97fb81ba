"""What goes wrong in a game's life, done on purpose; each act tells how it ended."""

import secrets
import time
from base64 import b64encode
from dataclasses import replace

from demo.game.clock import GameClock
from demo.game.messages import write
from demo.game.moves import Move, Plan, State, as_transaction, heard
from demo.game.play import Game, NotPlayed, price_of, refusal, unfinished
from demo.game.store import GameOrder, Visit
from demo.game.wire import story
from quantum_wallet import FinalState, Step, Unanswered

HOURS = 72
SESSIONS = "Sessions have ended meanwhile, so launch again to play on."
LOST = (
    "The answer comes, and the game loses it, as if the connection broke: "
    "it cannot know whether anything was reserved."
)
LATE = "The withdrawal that the rollback overtook comes late: refused (108), for nobody would pay for it."
NOBODY = Unanswered("withdraw", "", 1, "the answer was lost")


def lose_answer(game: Game, visit: Visit) -> str:
    """Withdraws, drops the answer, and repeats the same id."""
    with story(visit.uid, "Mischief: lose the answer"):
        move = game.new_move(visit, "withdrawal", price_of(visit, "Lantern"), "Lantern", Plan.CONFIRM)
        with game.working_on(move.id):
            game.send(visit, as_transaction(move, visit.token, Step.OPEN), LOST)
            move = game.advance(game.store.keep(heard(move, NOBODY, time.time())))
        game.look(visit)
    return ended(move, "The repeated call got the same answer, and the lantern was paid once.")


def confirm_twice(game: Game, visit: Visit) -> str:
    """Buys, and confirms once more."""
    with story(visit.uid, "Mischief: confirm twice"):
        move = game.drive(
            game.new_move(visit, "withdrawal", price_of(visit, "Lantern"), "Lantern", Plan.CONFIRM)
        )
        if move.state == State.CONFIRMED:
            why = "The same confirmation once more: the first answer comes again, and no money moves."
            game.send(visit, as_transaction(move, visit.token, Step.CONFIRM), why)
            game.look(visit)
    return ended(move, "Confirmed twice, paid once.")


def roll_back_first(game: Game, visit: Visit) -> str:
    """Rolls back what was never opened, and then opens it."""
    with story(visit.uid, "Mischief: roll back first"):
        opening = game.new_move(visit, "withdrawal", price_of(visit, "Comet"), "Comet", Plan.ROLL_BACK)
        with game.working_on(opening.id):
            move = game.advance(game.store.keep(replace(opening, state=State.ROLLING_BACK)))
            if move.state == State.ROLLED_BACK:
                game.send(visit, as_transaction(opening, visit.token, Step.OPEN), LATE)
                game.look(visit)
    return ended(move, "The rollback overtook its withdrawal, and nothing was paid.")


def forge_callback(game: Game, visit: Visit) -> str:
    """Claims that an order was paid, without the provider's secret. Raises NotPlayed."""
    product = game.platform.settings.products[0]
    with story(visit.uid, "Mischief: forge a callback"):
        order = game.order(visit, product, "An honest order, which nobody is going to pay.")
        forged = forged_body(order, game), forged_headers(game.clock)
        status = game.platform.forge("/pay/webhooks", *forged, FORGED)
        game.ask_after(order, "The order is what it was, and nothing was credited.")
        game.store.keep_order(replace(order, state="forged"))
    if status != 401:
        raise NotPlayed(f"The platform answered {status}, where 401 was expected.")
    return "The forged callback was refused. The operators' desk lists it under Refused callbacks."


FORGED = (
    "Somebody claims to be the payment provider, and signs without its secret: 401, and operators can see it."
)


def forged_body(order: GameOrder, game: Game) -> bytes:
    """That an order was paid, as the provider would say it."""
    product = game.platform.settings.products[0]
    data = {
        "orderId": order.platform_id,
        "providerReference": f"forged-{secrets.token_hex(4)}",
        "amount": product.price,
        "currencyCode": product.currency,
    }
    return write({"type": "payment.succeeded", "data": data})


def forged_headers(clock: GameClock) -> dict[str, str]:
    """Headers of Standard Webhooks with a signature by no secret."""
    return {
        "webhook-id": f"msg_{secrets.token_hex(12)}",
        "webhook-timestamp": str(int(clock.now())),
        "webhook-signature": "v1," + b64encode(secrets.token_bytes(32)).decode(),
    }


def leave_pending(game: Game, visit: Visit) -> str:
    """Withdraws, and leaves it at that. Raises NotPlayed."""
    with story(visit.uid, "Mischief: leave it pending"):
        move = game.new_move(visit, "withdrawal", price_of(visit, "Comet"), "Comet", Plan.LEAVE)
        move = game.drive(game.store.keep(replace(move, told=FinalState.CONFIRMED)))
    if move.state == State.REFUSED:
        raise NotPlayed(refusal(move))
    return (
        f"{move.amount} {move.currency} are reserved. Choose what the game will answer, and move the clock."
    )


def choose_answer(game: Game, visit: Visit, id: str, told: str) -> None:
    """What a final-state query about a transaction is answered. Raises NotPlayed."""
    if told not in list(FinalState):
        raise NotPlayed("The game cannot answer that.")
    game.store.keep(replace(own_open_move(game, visit, id), told=told))


def move_clock(game: Game, visit: Visit, id: str, told: str) -> str:
    """Moves the demonstration's clock; the game, which is asked then, answers `told`. Raises NotPlayed."""
    choose_answer(game, visit, id, told)
    with story(visit.uid, f"The clock moves by {HOURS} hours"):
        why = f"Nobody waits for three days: the demonstration's clock moves by {HOURS} hours."
        status, _ = game.platform.front("POST", "/demo/clock", {"hours": HOURS}, why)
    if status == 404:
        raise NotPlayed("The clock cannot be moved here.")
    if status != 200:
        raise NotPlayed(f"The clock did not move ({status or 'no answer'}).")
    game.clock.read()
    return f"{HOURS} hours later: the platform asks the game in a moment. {SESSIONS}"


def settle_now(game: Game, visit: Visit, id: str, state: State) -> str:
    """Confirms or rolls back what was left pending. Raises NotPlayed."""
    move = own_open_move(game, visit, id)
    with story(visit.uid, f"Settle it after all: {move.item}"):
        move = game.drive(game.store.keep(replace(move, state=state, told="", next_try_at=time.time())))
        game.look(visit)
    return f"{move.item}: {move.state}."


def own_open_move(game: Game, visit: Visit, id: str) -> Move:
    """The player's transaction of that id, which was left pending. Raises NotPlayed."""
    move = game.store.find_move(id)
    if move is None or move.uid != visit.uid or move.state != State.OPEN:
        raise NotPlayed("That is settled already.")
    return move


def ended(move: Move, how: str) -> str:
    """How a story ended; `how` if it did as it should. Raises NotPlayed."""
    if move.state == State.REFUSED:
        raise NotPlayed(refusal(move))
    return how if move.state in (State.CONFIRMED, State.ROLLED_BACK) else unfinished(move)
