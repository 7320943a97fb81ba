"""Everything that games, the platform and its operators can do to wallets and transactions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from lib.clock import now
from players.models import Game, Operator, Player
from players.operations import find_game, find_player, require_active, start_session
from players.switches import require_gaming, require_openings
from wallet import ledger
from wallet.currencies import decimals_of
from wallet.ledger import Answer, CallContext, SessionView, TransactionView
from wallet.models import Adjustment, Discrepancy, Entry, Transaction, Wallet
from wallet.outcomes import LedgerRefused, LimitRefused, UnknownCurrency

# By the kind of a discrepancy and the type of its transaction (`wallet/sql/correct.sql`).
CORRECTIONS: dict[tuple[str, str], str] = {
    ("confirm_of_returned", "withdrawal"): Transaction.Type.LATE_WITHDRAWAL,
    ("confirm_of_returned", "deposit"): Transaction.Type.LATE_DEPOSIT,
    ("rollback_of_confirmed", "withdrawal"): Transaction.Type.WITHDRAWAL_BACK,
    ("rollback_of_confirmed", "deposit"): Transaction.Type.DEPOSIT_BACK,
}
MOVED_SPENDABLE = Q(debit=Entry.Account.SPENDABLE) | Q(credit=Entry.Account.SPENDABLE)


@dataclass(frozen=True, slots=True)
class Launched:
    """A launched game: the token, where the player goes, and until when."""

    token: UUID
    game: Game
    language: str
    expires_at: datetime


# --- What a game's call does, each in one round trip to the ledger --------------------------------------


def find_live_session(*, game_id: UUID, token_hash: bytes) -> SessionView:
    """The live session of a token. Raises `LedgerRefused` (unknown_token, session_ended)."""
    session = ledger.find_session(game_id=game_id, token_hash=token_hash)
    if session is None or not session.is_live:
        raise LedgerRefused("session_ended" if session else "unknown_token")
    return session


def open_transaction(
    *,
    context: CallContext,
    type: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int,
    currency: str,
    description: str,
    pending: timedelta,
) -> Answer:
    """Opens a withdrawal or a deposit of `amount` minor units; it becomes due after `pending`.

    Raises `LedgerRefused`.
    """
    answer = ledger.open_transaction(
        context=context,
        type=type,
        token_hash=token_hash,
        mm_transaction_id=mm_transaction_id,
        amount=amount,
        currency=currency,
        description=description,
        pending=pending,
    )
    return require_outcome(answer, "opened")


def settle_transaction(
    *,
    context: CallContext,
    event: str,
    type: str,
    token_hash: bytes,
    mm_transaction_id: str,
    amount: int | None = None,
    currency: str | None = None,
    reason: str = "",
) -> Answer:
    """The game confirms (`event` confirmed) or rolls back (rolled_back). Raises `LedgerRefused`.

    `amount` in minor units, with its `currency`, if the game repeats them.
    """
    answer = ledger.settle_transaction(
        context=context,
        event=event,
        type=type,
        token_hash=token_hash,
        mm_transaction_id=mm_transaction_id,
        amount=amount,
        currency=currency,
        reason=reason,
    )
    return require_outcome(answer, event)


def query_transaction(
    *, context: CallContext, type: str, token_hash: bytes, mm_transaction_id: str
) -> TransactionView:
    """What became of a transaction of this game and player.

    Raises `LedgerRefused` (unknown_token, not_found).
    """
    found = ledger.query_transaction(
        context=context, type=type, token_hash=token_hash, mm_transaction_id=mm_transaction_id
    )
    if found.outcome == "found":
        return found
    session = ledger.find_session(game_id=context.game_id, token_hash=token_hash)
    if session is None:
        raise LedgerRefused(found.outcome)
    raise LedgerRefused(found.outcome, balance=session.balance, currency=session.currency)


def log_malformed_call(*, context: CallContext, mm_transaction_id: str) -> None:
    """Writes a call into the call log that could not be read, but names a transaction."""
    ledger.log_refused(context=context, outcome="malformed", mm_transaction_id=mm_transaction_id)


def require_outcome(answer: Answer, wanted: str) -> Answer:
    """`answer`, if it is what was wanted. Raises `LedgerRefused`."""
    if answer.outcome != wanted:
        raise LedgerRefused(answer.outcome, balance=answer.balance, currency=answer.currency)
    return answer


# --- What the web front asks for ------------------------------------------------------------------------


def require_currency(code: str) -> str:
    """`code`, if it is a currency. Raises `UnknownCurrency`."""
    if decimals_of(code) is None:
        raise UnknownCurrency(code)
    return code


def launch_game(
    uid: str, slug: str, currency_code: str, *, language: str | None, ttl_seconds: int | None, actor: str
) -> Launched:
    """Starts a session of a player in a game, and opens the wallet on first use (contract 3).

    Raises `PlayerRefused` (unknown_player, unknown_game, gaming_off, player_barred), `UnknownCurrency`, or
    `InMaintenance`.
    """
    require_openings()
    player, game = find_player(uid), find_game(slug)
    require_currency(currency_code)
    require_gaming(game)
    require_active(player)
    lifetime = (
        settings.SESSION_TTL
        if ttl_seconds is None
        else min(timedelta(seconds=ttl_seconds), settings.SESSION_TTL)
    )
    language = language or player.language
    with transaction.atomic():
        ledger.open_wallet(player_id=player.pk, currency=currency_code, actor=actor)
        token, expires_at = start_session(
            player, game, currency_code=currency_code, language=language, lifetime=lifetime
        )
    return Launched(token, game, language, expires_at)


def read_statement(
    player: Player, currency_code: str, *, before: int | None, limit: int
) -> tuple[list[Entry], int | None]:
    """The entries that changed what the player can spend, newest first, and the cursor of the next page."""
    wallet = Wallet.objects.filter(player=player, currency_id=currency_code).first()
    if wallet is None:
        return [], None
    entries = (
        Entry.objects.filter(player=player, wallet=wallet)
        # Nothing is moved without a transaction. The player in both, so that one machine has all of it.
        .filter(MOVED_SPENDABLE, transaction__player=player)
        .select_related("transaction__game")
    )
    if before is not None:
        entries = entries.filter(seq__lt=before)
    page = list(entries.order_by("-seq")[: limit + 1])
    return page[:limit], page[limit - 1].seq if len(page) > limit else None


# --- What operators, sweeps and the audit do ------------------------------------------------------------


def lock_wallet(player_id: UUID, currency_code: str) -> Wallet | None:
    """The player's wallet as it is, locked until the end of the atomic block; None if there is none."""
    id = ledger.lock_wallet(player_id=player_id, currency=currency_code)
    return Wallet.objects.select_related("player").get(pk=id) if id else None


def adjust_wallet(
    player: Player,
    currency_code: str,
    *,
    type: str,
    amount: int,
    transaction_id: UUID,
    operator: Operator,
    reason: str,
    into_debt: bool = False,
) -> Answer:
    """An operator credits or debits `amount` minor units, or writes off so much debt (`type` write_off), with
    a reason; once for each `transaction_id`.

    The act is written down beside it: the ledger takes no adjustment without.

    A debit that does not find enough is refused (`LedgerRefused`, insufficient_funds), or with `into_debt`
    leaves the rest as the player's debt. Raises `LedgerRefused` (other_content, limit_reached,
    more_than_debt) or `UnknownCurrency` besides.
    """
    by = f"operator:{operator.username}"[:80]
    ledger.open_wallet(player_id=player.pk, currency=require_currency(currency_code), actor=by)
    with transaction.atomic():
        Adjustment.objects.get_or_create(
            pk=transaction_id,
            defaults={
                "operator_id": operator.pk,
                "player": player,
                "currency_id": currency_code,
                "type": type,
                "amount": amount,
                "actor": by,
                "reason": reason,
                "at": now(),
            },
        )
        answer = ledger.adjust_wallet(
            transaction_id=transaction_id,
            player_id=player.pk,
            currency=currency_code,
            type=type,
            amount=amount,
            into_debt=into_debt,
            source="operator",
            actor=by,
            reason=reason,
        )
        # Refused, it was no act either.
        return require_outcome(answer, "adjusted")


def correct_discrepancy(
    discrepancy: Discrepancy, *, transaction_id: UUID, operator: Operator, reason: str
) -> Answer:
    """An operator books a discrepancy as the game says, by a transaction of this id, and so closes it.

    Raises `LedgerRefused` (already_closed, nothing_to_book, limit_reached).
    """
    settled, by = discrepancy.transaction, f"operator:{operator.username}"[:80]
    with transaction.atomic():
        Adjustment.objects.get_or_create(
            pk=transaction_id,
            defaults={
                "operator_id": operator.pk,
                "player_id": discrepancy.player_id,
                "currency_id": settled.wallet.currency_id,
                "type": correction_of(discrepancy),
                "amount": settled.amount or 0,
                "actor": by,
                "reason": reason,
                "at": now(),
            },
        )
        answer = ledger.correct(
            transaction_id=transaction_id, discrepancy_id=discrepancy.pk, actor=by, reason=reason
        )
        return require_outcome(answer, "corrected")


def correction_of(discrepancy: Discrepancy) -> str:
    """The type of the transaction that books a discrepancy as the game says. Raises `LedgerRefused`."""
    found = CORRECTIONS.get((discrepancy.kind, discrepancy.transaction.type))
    if found is None:
        raise LedgerRefused("nothing_to_book")
    return found


def resolve_transaction(transaction_id: UUID, *, event: str, source: str, actor: str, reason: str) -> Answer:
    """The platform ends a pending transaction: `event` is confirmed, rolled_back or expired.

    Raises `LedgerRefused` (not_found, already_confirmed, already_rolled_back, already_expired,
    already_declined).
    """
    answer = ledger.resolve_transaction(
        transaction_id=transaction_id, event=event, source=source, actor=actor, reason=reason
    )
    return require_outcome(answer, event)


def freeze_wallet(wallet: Wallet, *, actor: str, reason: str) -> bool:
    """Stops withdrawals from a wallet. Returns whether that is new."""
    return gate(wallet, "frozen", None, actor, reason)


def unfreeze_wallet(wallet: Wallet, *, actor: str, reason: str) -> bool:
    """Lets withdrawals go on. Returns whether that is new."""
    return gate(wallet, "unfrozen", None, actor, reason)


def limit_withdrawals(
    wallet: Wallet, *, most: int | None, actor: str, reason: str, is_approved: bool = False
) -> bool:
    """Sets the largest single withdrawal, in minor units, or lifts it with None.

    Returns whether that is new. What is looser takes two people, who have agreed if it `is_approved`: raises
    `LimitRefused` (takes_two).
    """
    return gate(wallet, "limit_set", most, actor, reason, is_approved=is_approved)


def gate(
    wallet: Wallet, event: str, limit: int | None, actor: str, reason: str, *, is_approved: bool = False
) -> bool:
    answer = ledger.gate_wallet(
        player_id=wallet.player_id,
        currency=wallet.currency_id,
        event=event,
        limit=limit,
        actor=actor,
        note=reason,
        is_approved=is_approved,
    )
    if answer.outcome == "takes_two":
        raise LimitRefused(answer.outcome)
    return answer.outcome == event
