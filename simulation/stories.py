"""What games do, well and badly.

Each story is a few transactions of one player, with every answer checked.
"""

from dataclasses import replace

from simulation.book import (
    CONFIRM,
    DECIMALS,
    DEPOSIT,
    LARGEST_AMOUNT,
    OPEN,
    ROLLBACK,
    WITHDRAWAL,
    Move,
    Session,
    shown,
)
from simulation.client import Reply
from simulation.deck import DECK, OFTEN, SELDOM, story
from simulation.player import CURRENCIES, Player, unknown_session

# Whoever plays them takes the deck from here, with all of them in it.
__all__ = ["DECK"]


def sit_down(player: Player) -> Session:
    """A live session of either game in either currency."""
    return player.session(player.rng.randrange(2), player.rng.choice(CURRENCIES))


def withdrawal(player: Player, session: Session) -> Move:
    return player.opening(WITHDRAWAL, session, player.amount(session.currency))


def deposit(player: Player, session: Session) -> Move:
    return player.opening(DEPOSIT, session, player.amount(session.currency))


def either(player: Player, session: Session) -> Move:
    return (withdrawal if player.rng.random() < 0.5 else deposit)(player, session)


def either_end(player: Player, opening: Move) -> Move:
    return player.settling(CONFIRM if player.rng.random() < 0.5 else ROLLBACK, opening)


# --- As it should be ---


@story(copies=OFTEN)
def withdrawal_confirmed(player: Player) -> None:
    opening = withdrawal(player, sit_down(player))
    player.play(opening)
    player.play(player.settling(CONFIRM, opening))


@story(copies=OFTEN)
def deposit_confirmed(player: Player) -> None:
    opening = deposit(player, sit_down(player))
    player.play(opening)
    player.play(player.settling(CONFIRM, opening, with_amount=False))


@story(copies=OFTEN)
def withdrawal_rolled_back(player: Player) -> None:
    opening = withdrawal(player, sit_down(player))
    player.play(opening)
    player.play(player.settling(ROLLBACK, opening))


@story()
def deposit_rolled_back(player: Player) -> None:
    opening = deposit(player, sit_down(player))
    player.play(opening)
    player.play(player.settling(ROLLBACK, opening))


@story()
def asked_about(player: Player) -> None:
    """The session and the transaction tell the same as the book, before and after its end."""
    session = sit_down(player)
    opening = either(player, session)
    player.play(opening)
    player.check_query(opening)
    player.play(either_end(player, opening))
    player.check_query(opening)
    player.check_session(session)


# --- Again ---


@story(copies=OFTEN)
def every_call_retried(player: Player) -> None:
    """Each answer comes again as it was, whatever has happened to the balance meanwhile."""
    opening = either(player, sit_down(player))
    end = either_end(player, opening)
    for move in (opening, opening, end, end):
        player.play(move)
    player.pay_in(opening.currency, 1)
    player.play(end)
    player.play(opening)
    # The other end comes too late: 107 after a confirmation, 108 after a rollback.
    player.play(player.settling(ROLLBACK if end.verb == CONFIRM else CONFIRM, opening))


@story(copies=OFTEN)
def every_call_twice_at_the_same_instant(player: Player) -> None:
    opening = either(player, sit_down(player))
    player.twice_at_once(opening)
    player.twice_at_once(either_end(player, opening))


@story()
def the_same_number_spelled_otherwise(player: Player) -> None:
    opening = either(player, sit_down(player))
    player.play(opening)
    for spelled in (f"{opening.amount}e-{DECIMALS}", f"{opening.amount}000E-{DECIMALS + 3}"):
        player.play(replace(opening, spelled=spelled))
        player.play(replace(player.settling(CONFIRM, opening), spelled=spelled))


# --- At the same instant ---


@story()
def confirmation_against_rollback(player: Player) -> None:
    opening = either(player, sit_down(player))
    player.play(opening)
    confirming, rolling = player.settling(CONFIRM, opening), player.settling(ROLLBACK, opening)
    player.at_once(confirming, rolling, lambda confirmed, rolled: confirmed.code is None)


@story()
def opening_against_its_rollback(player: Player) -> None:
    opening = either(player, sit_down(player))
    player.at_once(opening, player.settling(ROLLBACK, opening), lambda opened, rolled: opened.code is None)


@story(transactions=2)
def two_withdrawals_at_once_of_money_for_one(player: Player) -> None:
    session = sit_down(player)
    player.amount(session.currency)
    most = player.book.pages[session.currency].spendable
    # The second is smaller, so that the order can be told from the balances.
    larger, smaller = player.opening(WITHDRAWAL, session, most), player.opening(WITHDRAWAL, session, most - 1)
    player.at_once(larger, smaller, lambda one, other: one.code is None)
    player.play(player.settling(ROLLBACK, larger))
    player.play(player.settling(ROLLBACK, smaller))


@story(transactions=2)
def two_withdrawals_at_once_from_two_games(player: Player) -> None:
    currency = player.rng.choice(CURRENCIES)
    # Half of what the wallet can surely pay, each.
    openings = [
        player.opening(WITHDRAWAL, player.session(game, currency), (player.amount(currency) + 1) // 2)
        for game in range(2)
    ]
    player.at_once(openings[0], openings[1], shows_more)
    for opening in openings:
        player.play(player.settling(CONFIRM, opening))


def shows_more(one: Reply, other: Reply) -> bool:
    """Of two successful withdrawals, the one with the larger balance came first."""
    texts = [shown(reply).partition(" ")[0] for reply in (one, other)]
    return len(texts[0]) > len(texts[1]) or (len(texts[0]) == len(texts[1]) and texts[0] > texts[1])


# --- Late, or too early ---


@story(copies=OFTEN)
def rollback_overtakes(player: Player) -> None:
    """The rollback is remembered, and what comes after it is refused (108)."""
    opening = either(player, sit_down(player))
    rolling = player.settling(ROLLBACK, opening)
    for move in (
        rolling,
        opening,
        rolling,
        player.settling(CONFIRM, opening),
        replace(opening, amount=(opening.amount or 0) + 1),
    ):
        player.play(move)
    player.check_query(opening)


@story()
def confirmation_of_nothing(player: Player) -> None:
    """106, which is not remembered."""
    opening = either(player, sit_down(player))
    confirming = player.settling(CONFIRM, opening)
    for move in (confirming, opening, confirming):
        player.play(move)


@story(copies=OFTEN)
def settled_after_the_session_ended(player: Player) -> None:
    session = sit_down(player)
    opening = either(player, session)
    player.play(opening)
    player.end(session)
    player.read("getBalance", session)
    player.play(opening)
    player.play(either_end(player, opening))
    player.check_query(opening)


@story(copies=OFTEN)
def left_open_until_later(player: Player) -> None:
    """Ends what an earlier story left, and leaves something itself; the last one stays open."""
    if player.left:
        player.play(either_end(player, player.left.pop()))
    opening = either(player, sit_down(player))
    player.play(opening)
    player.left.append(opening)


# --- Refused ---


@story()
def money_that_is_not_there(player: Player) -> None:
    """104 is remembered.

    The retry is refused when the money has come, and the rollback has its own answer.
    """
    session = sit_down(player)
    short = player.opening(WITHDRAWAL, session, player.book.pages[session.currency].spendable + 1)
    player.play(short)
    player.pay_in(session.currency, 100)
    rolling = player.settling(ROLLBACK, short)
    for move in (short, player.settling(CONFIRM, short), replace(short, amount=1), rolling):
        player.play(move)
    player.pay_in(session.currency, 100)
    player.play(rolling)
    player.play(short)
    player.check_query(short)


@story(transactions=2)
def spent_to_the_last_unit(player: Player) -> None:
    session = sit_down(player)
    player.amount(session.currency)
    everything = player.opening(WITHDRAWAL, session, player.book.pages[session.currency].spendable)
    player.play(everything)
    player.play(player.opening(WITHDRAWAL, session, 1))
    player.check_session(session)
    player.play(either_end(player, everything))


@story()
def other_content_under_a_known_id(player: Player) -> None:
    """110, pending and settled; also through a session in the other currency, which can still settle it."""
    session = sit_down(player)
    elsewhere = player.session(session.game or 0, "EUR" if session.currency == "XAG" else "XAG")
    opening = either(player, session)
    other = replace(opening, amount=(opening.amount or 0) + 1)
    foreign = replace(opening, session=elsewhere, currency=elsewhere.currency)
    player.play(opening)
    for move in (other, foreign, replace(other, verb=CONFIRM), replace(foreign, verb=CONFIRM)):
        player.play(move)
    confirming = player.settling(CONFIRM, opening)
    player.play(replace(confirming, session=elsewhere))
    for move in (confirming, other, replace(other, verb=CONFIRM), player.settling(ROLLBACK, opening)):
        player.play(move)


@story()
def foreign_currency(player: Player) -> None:
    """105, which is not remembered."""
    opening = either(player, sit_down(player))
    for currency in ("EUR" if opening.currency == "XAG" else "XAG", "QQQ"):
        player.play(replace(opening, currency=currency))
    player.play(opening)
    player.play(player.settling(ROLLBACK, opening))


@story(transactions=2)
def the_same_id_in_two_games(player: Player) -> None:
    """Two transactions, of which each game knows its own; the other's token is unknown to it (102)."""
    currency = player.rng.choice(CURRENCIES)
    mm, openings = player.new_id(), []
    for game in range(2):
        session = player.session(game, currency)
        openings.append(player.opening(WITHDRAWAL, session, (player.amount(currency) + 1) // 2, mm))
    for opening in openings:
        player.play(opening)
    for opening in openings:
        stolen = replace(opening, game=1 - opening.game)
        for verb in (OPEN, CONFIRM, ROLLBACK):
            player.play(replace(stolen, verb=verb, amount=None if verb == ROLLBACK else opening.amount))
        player.read("getBalance", opening.session, 1 - opening.game)
    for opening in openings:
        player.play(either_end(player, opening))


@story()
def a_withdrawal_and_a_deposit_share_an_id(player: Player) -> None:
    session = sit_down(player)
    leaving = withdrawal(player, session)
    coming = replace(leaving, type=DEPOSIT)
    for move in (leaving, coming, player.settling(CONFIRM, coming), either_end(player, leaving)):
        player.play(move)


@story()
def ended_and_unknown_tokens(player: Player) -> None:
    """102, which is not remembered: with a live session the same id opens."""
    ended = sit_down(player)
    player.end(ended)
    opening = withdrawal(player, ended)
    for token in (ended, unknown_session(player.rng, ended.currency)):
        player.play(replace(opening, session=token))
        player.read("getBalance", token)
        player.read("verifySession", token)
    live = replace(opening, session=player.session(opening.game, ended.currency))
    player.play(live)
    player.play(either_end(player, live))


@story(copies=SELDOM)
def expired_token(player: Player) -> None:
    """New withdrawals are refused (102); winnings still come in."""
    session = player.expired_session(player.rng.choice(CURRENCIES))
    player.read("getBalance", session)
    opening = withdrawal(player, session)
    player.play(opening)
    late = replace(opening, type=DEPOSIT)
    player.play(late)
    player.play(player.settling(CONFIRM, late))


@story(transactions=2)
def blocked_player(player: Player) -> None:
    """New withdrawals are refused (103); what is open is settled, and winnings come in."""
    session = sit_down(player)
    opening, win, refused = withdrawal(player, session), deposit(player, session), withdrawal(player, session)
    player.play(opening)
    player.set_status("blocked")
    for move in (refused, opening, either_end(player, opening), win, player.settling(CONFIRM, win)):
        player.play(move)
    player.check_session(session)
    player.set_status("active")


@story()
def amounts_at_both_limits(player: Player) -> None:
    """One minor unit, the largest amount there is, and what lies beyond both (101)."""
    opening = replace(either(player, sit_down(player)), type=DEPOSIT)
    for spelled in (
        "0",
        "-1",
        f"0.{'0' * DECIMALS}1",
        f"{LARGEST_AMOUNT + 1}e-{DECIMALS}",
        "1e400",
        '"5.00"',
        "true",
    ):
        player.play(replace(opening, spelled=spelled, malformed=True))
    largest = replace(opening, amount=LARGEST_AMOUNT)
    player.play(largest)
    player.play(player.settling(ROLLBACK, largest))
    smallest = player.opening(WITHDRAWAL, opening.session, 1, opening.mm)
    player.play(smallest)
    player.play(player.settling(CONFIRM, smallest))


@story(transactions=11, copies=SELDOM)
def a_wallet_is_full(player: Player) -> None:
    """Announced winnings count towards the bound of a wallet: the one too many is refused (111), for ever."""
    session = sit_down(player)
    openings = [player.opening(DEPOSIT, session, LARGEST_AMOUNT) for _ in range(11)]
    for opening in openings:
        player.play(opening)
    for opening in openings:
        player.play(player.settling(ROLLBACK, opening))
    player.play(openings[-1])
