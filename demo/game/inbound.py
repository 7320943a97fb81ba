"""What the platform asks and tells the game: the final state of a transaction, and what to deliver."""

from collections.abc import Mapping
from typing import Any

from demo.game.messages import read, shown, write
from demo.game.play import Game
from demo.game.wire import story
from quantum_wallet import (
    Delivery,
    Malformed,
    NotGenuine,
    Untimely,
    query_answer,
    verify_delivery,
    verify_query,
)

Reply = tuple[int, dict[str, Any]]
WHY = {
    "CONFIRMED": "The platform heard nothing for three days, and asks. "
    "The game has handed it out: the platform confirms.",
    "ROLLED_BACK": "The platform heard nothing for three days, and asks. "
    "The sale was off: the platform gives the money back.",
    "UNKNOWN": "The game knows nothing of it. One such answer settles nothing: "
    "three of them, over 24 hours, expire a withdrawal.",
    "PENDING": "The game is not done yet: the platform waits and asks again; after 7 days people look at it.",
}


def answer_final_state(game: Game, headers: Mapping[str, str], raw: bytes) -> Reply:
    """`POST /platform/state`: how a transaction ended, by HTTP Basic with the platform's password for us."""
    try:
        query = verify_query(headers, raw, game.platform.settings.query)
    except NotGenuine:
        return 401, {"problem": "Only the platform may ask."}
    except Malformed as problem:
        return 400, {"problem": f"That is no question: {problem}."}
    state, qw_id = game.answer_query(query.mm_transaction_id)
    reply = read(query_answer(state, qw_id))
    with story(query.player_id, "The platform asks how it ended"):
        note(game, query.player_id, "/platform/state", raw, (200, reply), WHY[state])
    return 200, reply


def take_delivery(game: Game, headers: Mapping[str, str], raw: bytes) -> Reply:
    """`POST /platform/deliveries`: what a player has paid for. All attempts of one share their webhook-id."""
    try:
        told = verified(game, headers, raw)
    except NotGenuine:
        return 401, {"problem": "The signature is not by our secret, or the message is too old."}
    except Malformed as problem:
        return 400, {"problem": f"That is no delivery: {problem}."}
    about = {"uid": told.uid, "product": told.product_id, "order_id": told.cp_order_id}
    is_new = game.store.add_delivery(told.id, **about)
    why = (
        "It is paid: the game verifies both signatures, hands it out, and says 200."
        if is_new
        else "The same webhook-id again: it was handed out before, so the game only says 200."
    )
    with story(told.uid, f"Top up: {told.product_id}"):
        note(game, told.uid, "/platform/deliveries", raw, (200, {"status": "ok"}), why)
    return 200, {"status": "ok"}


def verified(game: Game, headers: Mapping[str, str], raw: bytes) -> Delivery:
    """The delivery, by the demonstration's clock. Raises NotGenuine, Malformed."""
    secrets = [game.platform.settings.delivery_secret]
    try:
        return verify_delivery(headers, raw, secrets, clock=game.clock.now)
    except Untimely:
        game.clock.read()  # somebody else may have moved it
    return verify_delivery(headers, raw, secrets, clock=game.clock.now)


def note(game: Game, uid: str, path: str, raw: bytes, reply: Reply, why: str) -> None:
    game.platform.wire.add(
        uid,
        is_ours=False,
        method="POST",
        path=path,
        request=shown(raw),
        status=reply[0],
        answer=shown(write(reply[1])),
        took_ms=0,
        why=why,
    )
