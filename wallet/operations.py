"""Everything that the platform and its operators can do to wallets and transactions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from lib.http.errors import ErrorCode, Refusal, invalid
from players.models import Game, Player
from players.operations import start_session
from wallet import ledger
from wallet.api.errors import refusal
from wallet.currencies import decimals_of
from wallet.ledger import Answer
from wallet.models import Entry, Wallet

MOVED_SPENDABLE = Q(debit=Entry.Account.SPENDABLE) | Q(credit=Entry.Account.SPENDABLE)


@dataclass(frozen=True, slots=True)
class Launched:
    """A launched game: the token, where the player goes, and until when."""

    token: UUID
    game: Game
    language: str
    expires_at: datetime


def find_player(uid: str) -> Player:
    """The player of a uid. Raises 101."""
    player = Player.objects.filter(uid=uid).first()
    if player is None:
        raise invalid(f"The player {uid} is unknown.")
    return player


def require_currency(code: str) -> str:
    """`code`, where it is a currency. Raises 101."""
    if decimals_of(code) is None:
        raise invalid(f"The currency {code} is unknown.")
    return code


def launch_game(
    uid: str, slug: str, currency_code: str, *, language: str | None, ttl_seconds: int | None, actor: str
) -> Launched:
    """Starts a session of a player in a game, and opens the wallet on first use (contract 3). Raises 101, 103."""
    player = find_player(uid)
    game = Game.objects.filter(slug=slug, is_active=True).first()
    if game is None:
        raise invalid(f"The game {slug} is unknown or not active.")
    require_currency(currency_code)
    if player.status != Player.Status.ACTIVE:
        raise Refusal(ErrorCode.PLAYER_BARRED, f"The player is {player.get_status_display()}.")
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
        .filter(MOVED_SPENDABLE)
        .select_related("transaction__game")
    )
    if before is not None:
        entries = entries.filter(seq__lt=before)
    page = list(entries.order_by("-seq")[: limit + 1])
    return page[:limit], page[limit - 1].seq if len(page) > limit else None


def adjust_wallet(
    player: Player,
    currency_code: str,
    *,
    type: str,
    amount: int,
    transaction_id: UUID,
    actor: str,
    reason: str,
    source: str = "operator",
    into_debt: bool = False,
) -> Answer:
    """Credits or debits `amount` minor units with a reason; once for each `transaction_id`.

    A debit that does not find enough is refused (104), or with `into_debt` leaves the rest as the player's debt.
    """
    ledger.open_wallet(player_id=player.pk, currency=require_currency(currency_code), actor=actor)
    answer = ledger.adjust_wallet(
        transaction_id=transaction_id,
        player_id=player.pk,
        currency=currency_code,
        type=type,
        amount=amount,
        into_debt=into_debt,
        source=source,
        actor=actor,
        reason=reason,
    )
    if answer.outcome != "adjusted":
        raise refusal(answer)
    return answer


def resolve_transaction(transaction_id: UUID, *, event: str, source: str, actor: str, reason: str) -> Answer:
    """The platform ends a pending transaction: `event` is confirmed, rolled_back or expired. Raises 106 to 109."""
    answer = ledger.resolve_transaction(
        transaction_id=transaction_id, event=event, source=source, actor=actor, reason=reason
    )
    if answer.outcome != event:
        raise refusal(answer)
    return answer


def freeze_wallet(wallet: Wallet, *, actor: str, reason: str) -> bool:
    """Stops withdrawals from a wallet. Returns whether that is new."""
    return gate(wallet, "frozen", None, actor, reason)


def unfreeze_wallet(wallet: Wallet, *, actor: str, reason: str) -> bool:
    """Lets withdrawals go on. Returns whether that is new."""
    return gate(wallet, "unfrozen", None, actor, reason)


def limit_withdrawals(wallet: Wallet, *, most: int | None, actor: str, reason: str) -> bool:
    """Sets the largest single withdrawal, in minor units, or lifts it with None. Returns whether that is new."""
    return gate(wallet, "limit_set", most, actor, reason)


def gate(wallet: Wallet, event: str, limit: int | None, actor: str, reason: str) -> bool:
    answer = ledger.gate_wallet(
        player_id=wallet.player_id,
        currency=wallet.currency_id,
        event=event,
        limit=limit,
        actor=actor,
        note=reason,
    )
    return answer.outcome == event
