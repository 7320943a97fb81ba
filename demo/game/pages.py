"""The page, and the parts of it that change while it is open."""

import time
from decimal import Decimal
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from demo.game.moves import Move, State
from demo.game.play import PRICES, STARS, Game
from demo.game.settings import Product
from demo.game.store import GameOrder, Visit
from demo.game.wire import Exchange
from quantum_wallet import FinalState

FILES = Path(__file__).parent / "files"
PAGE = Template((FILES / "page.html").read_text())
OUTSIDE = Template((FILES / "outside.html").read_text())
# Where the stars hang, on a sky of 800 by 420, and how large they are.
PLACES = ((96, 88, 15), (236, 168, 20), (402, 72, 30), (566, 190, 20), (704, 100, 15))
PRODUCTS = {
    "coins-500": ("500 silver", "A purse for the road."),
    "coins-1200": ("1,200 silver", "A chest, for those who stay."),
    "wm.spin.1": ("Ten free rounds", "Delivered by the game itself."),
    "starter-pack": ("Starter pack", "2,000 silver and five free rounds."),
}
GOODS = {
    "Lantern": "Lights the way home.",
    "Telescope": "Brings the far ones near.",
    "Comet": "Yours to name.",
}
MISCHIEF = (
    ("lose-answer", "Lose the answer", "Withdraw, drop the answer, and repeat the same id."),
    ("confirm-twice", "Confirm twice", "Buy a lantern, and confirm it once more."),
    ("roll-back-first", "Roll back first", "A rollback overtakes its withdrawal."),
    ("forge-callback", "Forge a callback", "Claim a payment without the provider's secret."),
    ("leave-pending", "Leave it pending", "Reserve a comet, and forget about it."),
)
TOLD = {
    FinalState.CONFIRMED: "We handed it out",
    FinalState.ROLLED_BACK: "The sale was off",
    FinalState.UNKNOWN: "We know nothing of it",
    FinalState.PENDING: "We are not done yet",
}
ORDER_STATES = {"starting": "not started", "created": "waiting for the payment", "forged": "forged, not paid"}


def outside(game: Game, why: str) -> bytes:
    """A page for whoever is not at a visit."""
    return OUTSIDE.substitute(why=escape(why), lobby=escape(game.platform.settings.platform)).encode()


def page(game: Game, visit: Visit, *, is_live: bool) -> bytes:
    """The whole page of a visit."""
    platform = game.platform.settings.platform
    lobby = f"{platform}/?{urlencode({'player': visit.uid})}"
    parts = {f"{name}_part": html for name, html in parts_of(game, visit).items()}
    ended = (
        '<p class="notice">This session has ended: <a href="$">launch the game again</a> from the lobby.</p>'
    )
    return PAGE.substitute(
        parts,
        visit=escape(visit.id),
        player=escape(visit.nickname),
        platform=escape(platform),
        lobby=escape(lobby),
        notice="" if is_live else ended.replace("$", escape(lobby)),
        stars="".join(star(visit, index) for index in range(len(STARS))),
        goods="".join(good(visit, name) for name in PRICES),
        products="".join(map(product, game.platform.settings.products)),
        mischief="".join(trick(*one) for one in MISCHIEF),
    ).encode()


def live(game: Game, visit: Visit, after: int) -> dict[str, Any]:
    """The parts that may have changed, and the exchanges since number `after`."""
    game.seen[visit.uid] = time.time()
    news = game.platform.wire.after(visit.uid, after)
    parts = parts_of(game, visit)
    if game.balance(visit) is None:  # after a restart, until the game hears of it
        del parts["balance"]
    return {
        "parts": parts,
        "wire": [{"number": one.number, "story": one.story, "html": exchange(one)} for one in news],
    }


def parts_of(game: Game, visit: Visit) -> dict[str, str]:
    """Each part by the id of its element."""
    rounds = game.free_rounds(visit.uid)
    return {
        "balance": money(game.balance(visit), visit.currency),
        "owned": owned(game.store.goods(visit.uid)),
        "rounds": f"{rounds} left",
        "pending": "".join(pending(visit, move) for move in game.store.open_moves(visit.uid)),
        "orders": orders(game, visit),
    }


def money(amount: Decimal | None, currency: str) -> str:
    return f"<b>{amount:,}</b> {escape(currency)}" if amount is not None else "…"


def icon(name: str) -> str:
    return f'<svg class="icon" viewBox="0 0 48 48" aria-hidden="true"><use href="#{name.lower()}"/></svg>'


def star(visit: Visit, index: int) -> str:
    """A star that can be caught: a button over the sky."""
    return (
        f'<button name="star" value="{index}" class="star star-{index}"'
        f' aria-label="Catch a star worth {STARS[index]}">'
        '<svg viewBox="0 0 48 48" aria-hidden="true"><use href="#star"/></svg>'
        f"<span>+{STARS[index]}</span></button>"
    )


def good(visit: Visit, name: str) -> str:
    """A thing of the shop, with its two buttons."""
    return (
        f'<li class="good">{icon(name)}<div><h3>{name}</h3><p>{GOODS[name]}</p></div>'
        f'<p class="price">{visit.amount(PRICES[name])}</p>'
        f'<form method="post" action="/visits/{visit.id}/acts">'
        f'<input type="hidden" name="item" value="{name}">'
        f'<button name="act" value="buy" class="first">Buy<span class="hidden"> a {name.lower()}</span>'
        '</button><button name="act" value="change-mind">Change my mind'
        f'<span class="hidden"> about a {name.lower()}</span></button></form></li>'
    )


def product(one: Product) -> str:
    """Something that is paid at the platform's checkout."""
    name, about = PRODUCTS.get(one.id, (one.id, ""))
    return (
        f'<li><button name="product" value="{escape(one.id)}"><b>{escape(name)}</b>'
        f"<span>{escape(about)}</span>"
        f'<span class="price">{one.price} {escape(one.currency)}</span></button></li>'
    )


def trick(act: str, title: str, about: str) -> str:
    return f'<li><button name="act" value="{act}"><b>{title}</b><span>{about}</span></button></li>'


def owned(goods: dict[str, int]) -> str:
    """What the player has, as it stands under the sky."""
    things = [
        f"<li>{icon(name)}<span>{name}<b>{number}</b></span></li>"
        for name in PRICES
        if (number := goods.get(name, 0))
    ]
    return f"<ul>{''.join(things)}</ul>" if things else "<p>Nothing yet. The shop is open all night.</p>"


def orders(game: Game, visit: Visit) -> str:
    """How the last orders stand."""
    lines = [order_line(order) for order in game.store.latest_orders(visit.uid, 3)]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def order_line(order: GameOrder) -> str:
    name = PRODUCTS.get(order.product, (order.product,))[0]
    state = ORDER_STATES.get(order.state, order.state.replace("_", " "))
    return f'<li><b>{escape(name)}</b> <span class="state {escape(order.state)}">{escape(state)}</span></li>'


def pending(visit: Visit, move: Move) -> str:
    """A transaction that is not settled, and what can be done about it."""
    head = f"<p><b>{escape(move.item)}</b>, {move.amount:,} {escape(move.currency)}: {move.state}</p>"
    if move.state != State.OPEN:
        words = "The game repeats the call until there is an answer."
        return f'<div class="pending">{head}<p class="small">{words}</p></div>'
    told = move.told or FinalState.PENDING
    choices = "".join(
        f'<option value="{state}"{" selected" if state == told else ""}>{state}: {words}</option>'
        for state, words in TOLD.items()
    )
    return (
        f'<form class="pending" method="post" action="/visits/{visit.id}/acts">{head}'
        f'<input type="hidden" name="move" value="{move.id}">'
        "<label>If the platform asks, the game answers "
        f'<select name="told" data-act="choose-answer" id="told-{move.id}">{choices}</select></label>'
        '<button name="act" value="move-clock" class="first">Move the clock by 72 hours</button>'
        '<button name="act" value="confirm">Confirm it now</button>'
        '<button name="act" value="roll-back">Roll it back now</button></form>'
    )


def asker(one: Exchange) -> str:
    """Who sent it: this process plays the forger, too, and a game sends no provider's callbacks."""
    return "Somebody" if one.path.startswith("/pay/") else "Game"


def exchange(one: Exchange) -> str:
    """One exchange on the wire."""
    who = (asker(one), "Platform") if one.is_ours else ("Platform", "Game")
    at = time.strftime("%H:%M:%S", time.gmtime(one.at))
    is_no = '"errorCode"' in one.answer
    outcome = "lost" if not one.status else "no" if one.status >= 400 or is_no else "yes"
    took = f" · {one.took_ms} ms" if one.is_ours else ""
    # A wallet's refusal is answered with 200: colour alone would tell of it.
    status = f"{one.status} refused" if outcome == "no" else one.status or "no answer"
    request = f'<pre class="request">{escape(one.request)}</pre>' if one.request else ""
    return (
        f'<p class="line"><span class="who{"" if one.is_ours else " theirs"}">{who[0]}'
        f' <span aria-hidden="true">→</span><span class="hidden">calls</span> {who[1]}</span>'
        f" <code>{one.method} {escape(one.path)}</code>"
        f' <span class="status {outcome}">{status}</span></p>'
        f'<p class="why">{escape(one.why)}</p>{request}'
        f'<pre class="answer">{escape(one.answer)}</pre><p class="at">{at} UTC{took}</p>'
    )
