"""Everything that can happen to players, sessions and credentials."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import QuerySet

from lib.clock import WalletNow, now
from lib.ids import new_id
from lib.names import search_key
from lib.outbound.client import BasicCredential
from lib.security.encryption import open_sealed, seal
from lib.security.tokens import new_password, new_token, password_hash, token_hash
from players.access.credentials import CREDENTIALS
from players.models import Credential, Game, GameSession, Operator, Player, PlayerEvent, PlayerNote
from players.outcomes import PlayerOutcome, PlayerRefused

STRICTNESS = {
    Player.Status.ACTIVE: 0,
    Player.Status.BLOCKED: 1,
    Player.Status.SELF_EXCLUDED: 2,
    Player.Status.CLOSED: 3,
}
# What one operator does not lift, not by a detour over a weaker status either: the player's own wish to be
# kept out, and the end of an account.
LIFTED_BY_TWO = (Player.Status.SELF_EXCLUDED, Player.Status.CLOSED)
# What a change of a player's status writes.
STATUS = ("status", "status_set_by", "excluded_until", "liftable_at", "block_beneath")


def find_player(uid: str) -> Player:
    """The player of a uid. Raises `PlayerRefused` (unknown_player)."""
    player = Player.objects.filter(uid=uid).first()
    if player is None:
        raise PlayerRefused(PlayerOutcome.UNKNOWN_PLAYER, uid)
    return player


def find_game(slug: str) -> Game:
    """The game of a slug. Raises `PlayerRefused` (unknown_game)."""
    game = Game.objects.filter(slug=slug).first()
    if game is None:
        raise PlayerRefused(PlayerOutcome.UNKNOWN_GAME, slug)
    return game


def require_active(player: Player) -> None:
    """Raises `PlayerRefused` (player_barred) if the player is blocked, self-excluded or closed."""
    if player.status != Player.Status.ACTIVE:
        raise PlayerRefused(PlayerOutcome.PLAYER_BARRED, Player.Status(player.status).label)


@transaction.atomic
def put_player(uid: str, *, attributes: dict[str, str], status: str | None, actor: str) -> Player:
    """Creates or updates a player for the web front; absent attributes keep their value (contract 3).

    Raises `PlayerRefused` (status_not_allowed), and changes nothing, if the front may not set that status.
    """
    if "nickname" in attributes:
        attributes = attributes | {"nickname_key": search_key(attributes["nickname"])}
    player, created = Player.objects.select_for_update().get_or_create(uid=uid, defaults=attributes)
    if created:
        PlayerEvent.objects.create(player=player, new_status=player.status, actor=actor)
    if status is not None and status != player.status:
        require_front_may_set(player, status)
        change_status(player, status, Player.SetBy.FRONT, actor, "")
    for name, value in attributes.items():
        setattr(player, name, value)
    player.save(update_fields=[*attributes, *STATUS, "updated_at"])
    return player


def require_front_may_set(player: Player, status: str) -> None:
    """The web front can bar a player more strictly, and lift only a block it set itself (contract 3)."""
    if STRICTNESS[Player.Status(status)] > STRICTNESS[Player.Status(player.status)]:
        return
    own_block = player.status == Player.Status.BLOCKED and player.status_set_by == Player.SetBy.FRONT
    if not own_block:
        raise PlayerRefused(PlayerOutcome.STATUS_NOT_ALLOWED, Player.Status(player.status).label)


def change_status(player: Player, status: str, set_by: str, actor: str, reason: str) -> None:
    """Sets the status of a locked player and writes the event. The caller saves the player."""
    PlayerEvent.objects.create(
        player=player, old_status=player.status, new_status=status, actor=actor, reason=reason
    )
    player.block_beneath = block_under(player, status)
    player.status, player.status_set_by = status, set_by
    player.excluded_until = player.liftable_at = None


def block_under(player: Player, status: str) -> str:
    """Who blocked the player, if that is to count again once a self-exclusion has ended; nothing if not."""
    if status != Player.Status.SELF_EXCLUDED:
        return ""
    return player.status_set_by if player.status == Player.Status.BLOCKED else player.block_beneath


def needs_two_to_lift(before: str, after: str) -> bool:
    """Whether a change of status lifts what one operator does not lift alone."""
    is_less = STRICTNESS[Player.Status(after)] < STRICTNESS[Player.Status(before)]
    return is_less and before in LIFTED_BY_TWO


def lifts_exclusion(before: str, after: str) -> bool:
    """Whether a change of status lifts an exclusion, which takes the player's own word besides."""
    is_less = STRICTNESS[Player.Status(after)] < STRICTNESS[Player.Status(before)]
    return is_less and before == Player.Status.SELF_EXCLUDED


def was_closed_while_excluded(player: Player) -> bool:
    """Whether a player was closed while an exclusion lasted: opened again, it lasts, without an end."""
    changes = player.events.exclude(old_status=models.F("new_status"))
    closing = changes.filter(new_status=Player.Status.CLOSED).order_by("-at").first()
    return (
        player.status == Player.Status.CLOSED
        and closing is not None
        and closing.old_status == Player.Status.SELF_EXCLUDED
    )


@transaction.atomic
def set_player_status(
    player_id: UUID, *, status: str, actor: str, reason: str, is_approved: bool = False
) -> Player:
    """An operator sets a player's status, with a reason; `is_approved` by a second one.

    Raises `PlayerRefused` (status_not_allowed) if it takes two and is not approved, and if it takes the
    player's word as well (`players.exclusions`).
    """
    player = Player.objects.select_for_update().get(pk=player_id)
    needs_player = lifts_exclusion(player.status, status) or (
        status != Player.Status.CLOSED
        and status != Player.Status.SELF_EXCLUDED
        and was_closed_while_excluded(player)
    )
    if needs_player or (needs_two_to_lift(player.status, status) and not is_approved):
        raise PlayerRefused(PlayerOutcome.STATUS_NOT_ALLOWED, Player.Status(player.status).label)
    # Also where the status stays: from now on it is the operator's, and the front cannot lift it.
    change_status(player, status, Player.SetBy.OPERATOR, actor, reason)
    player.save(update_fields=[*STATUS, "updated_at"])
    return player


def start_session(
    player: Player, game: Game, *, currency_code: str, language: str, lifetime: timedelta
) -> tuple[UUID, datetime]:
    """Makes a session. Returns its token, which is stored nowhere, and when it expires."""
    token, began = new_token(), now()
    session = GameSession.objects.create(
        token_hash=token_hash(token),
        player=player,
        game=game,
        currency_code=currency_code,
        language=language,
        created_at=began,
        expires_at=began + lifetime,
    )
    return token, session.expires_at


def end_session(token: UUID) -> None:
    """Ends a session; repeated, nothing more.

    Raises `PlayerRefused` (unknown_session) if there never was one.
    """
    found = GameSession.objects.filter(token_hash=token_hash(token))
    if not found.filter(ended_at=None).update(ended_at=now()) and not found.exists():
        raise PlayerRefused(PlayerOutcome.UNKNOWN_SESSION)


def close_session(session: GameSession) -> bool:
    """An operator ends a session, whose token nobody here knows. Returns whether that is new."""
    return GameSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now()) > 0


def end_sessions(player_id: UUID) -> int:
    """Ends every live session of a player. Returns how many there were."""
    return live_sessions(player_id).update(ended_at=now())


def live_sessions(player_id: UUID) -> QuerySet[GameSession]:
    return GameSession.objects.filter(player_id=player_id, ended_at=None, expires_at__gt=now())


@transaction.atomic
def end_some(player_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Ends those of a player's sessions that are live. Returns which ones."""
    live = live_sessions(player_id).filter(pk__in=ids).select_for_update().order_by("pk")
    ended = set(live.values_list("pk", flat=True))
    GameSession.objects.filter(pk__in=ended).update(ended_at=now())
    return ended


def add_note(player: Player, text: str, *, operator: Operator) -> PlayerNote:
    """Writes down what an operator has to say about a player."""
    return PlayerNote.objects.create(player=player, operator=operator, text=text, at=now())


def create_credential(
    *, kind: str, game: Game | None, username: str, allowed_networks: list[str], note: str
) -> tuple[Credential, str]:
    """Makes a credential. Returns it and its password, which is shown once and stored nowhere."""
    password = new_password()
    credential = add_credential(
        id=new_id(),
        kind=kind,
        game_id=game.pk if game else None,
        username=username,
        password=password,
        allowed_networks=allowed_networks,
        note=note,
    )
    return credential, password


def add_credential(
    *,
    id: UUID,
    kind: str,
    game_id: UUID | None,
    username: str,
    password: str,
    allowed_networks: list[str],
    note: str,
) -> Credential:
    """Makes a credential with a password that was made before (`new_password`); only its hash is kept."""
    credential = Credential.objects.create(
        id=id,
        kind=kind,
        game_id=game_id,
        username=username,
        password_hash=password_hash(password),
        allowed_networks=allowed_networks,
        note=note,
    )
    transaction.on_commit(CREDENTIALS.forget)
    return credential


def revoke_credential(credential: Credential) -> None:
    """Ends a credential; other processes notice within `CREDENTIAL_CACHE_SECONDS`."""
    Credential.objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=WalletNow())
    transaction.on_commit(CREDENTIALS.forget)


def deactivate_game(game: Game) -> bool:
    """No session starts in a game, and no withdrawal opens, from now on. Returns whether that is new."""
    transaction.on_commit(CREDENTIALS.forget)
    return Game.objects.filter(pk=game.pk, is_active=True).update(is_active=False) > 0


def set_query_password(game: Game, password: str) -> None:
    """Seals the password with which the platform asks a game what became of a transaction.

    An empty one takes it away.
    """
    sealed = seal(password, purpose=query_purpose(game)) if password else ""
    Game.objects.filter(pk=game.pk).update(sealed_query_password=sealed)
    game.sealed_query_password = sealed


def query_credential(game: Game) -> BasicCredential | None:
    """What the platform calls a game's query URL with. Raises `Unreadable` where its key is gone."""
    if not game.query_username and not game.sealed_query_password:
        return None
    password = (
        open_sealed(game.sealed_query_password, purpose=query_purpose(game))
        if game.sealed_query_password
        else ""
    )
    return BasicCredential(game.query_username, password)


def query_purpose(game: Game) -> str:
    return f"query password of game {game.pk}"
