"""What a search finds of players, sessions, games and operators."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from lib.backoffice.finders import LEAST_NAME, MOST_FOUND, Asked, Finder, starting
from lib.backoffice.languages import _
from lib.names import search_key
from lib.security.tokens import token_hash
from players.models import Approval, Credential, Game, GameSession, Operator, Player


class PlayerFinder(Finder):
    model = Player
    by = _("players by uid, nickname, or the beginning of either")
    has_ends = True

    def exactly(self, asked: Asked) -> list[Any]:
        key = search_key(asked.text)
        # Two queries: of an OR of two indexes with LIMIT, a planner may make a walk through the table.
        named = list(self.rows.filter(nickname_key=key).order_by("nickname_key")[:MOST_FOUND]) if key else []
        return [*self.by_id(asked), *self.rows.filter(uid=asked.text), *named]

    def partly(self, asked: Asked) -> list[Any]:
        key = search_key(asked.text)
        known = starting(self.rows, "uid", asked.text) if asked.is_name else []
        named = starting(self.rows, "nickname_key", key) if len(key) >= LEAST_NAME else []
        return [*known, *named, *self.by_part(asked)]

    def note(self, row: Player) -> str:
        return row.nickname


class SessionFinder(Finder):
    model = GameSession
    by = _("sessions by token or id")
    has_ends = True

    def owns(self, asked: Asked) -> bool:
        return asked.may_be_token and self.of_token(GameSession.objects.all(), asked).exists()

    def exactly(self, asked: Asked) -> list[Any]:
        return list(self.of_token(self.rows, asked)) if asked.may_be_token else self.by_id(asked)

    def of_token(self, rows: QuerySet[GameSession], asked: Asked) -> QuerySet[GameSession]:
        """The session with this token; nothing but the token's hash leaves the process."""
        assert asked.id is not None
        return rows.filter(token_hash=token_hash(asked.id))


class GameFinder(Finder):
    """There are few: they need no index."""

    model = Game
    by = _("games by slug or name")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(Q(slug=asked.text) | Q(name__iexact=asked.text) | Q(pk=asked.id))

    def partly(self, asked: Asked) -> Iterable[Any]:
        begun = Q(slug__istartswith=asked.text) | Q(name__istartswith=asked.text)
        return self.rows.filter(begun) if asked.is_name else ()


class CredentialFinder(Finder):
    """There are few: they need no index."""

    model = Credential
    by = _("credentials by user name")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(Q(username=asked.text) | Q(pk=asked.id))

    def partly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(username__istartswith=asked.text) if asked.is_part else ()


class OperatorFinder(Finder):
    """There are few: they need no index."""

    model = Operator
    by = _("operators by name")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(username__iexact=asked.text)

    def partly(self, asked: Asked) -> Iterable[Any]:
        begun = Q(username__istartswith=asked.text) | Q(last_name__istartswith=asked.text)
        return self.rows.filter(begun) if asked.is_name else ()

    def note(self, row: Operator) -> str:
        return row.get_full_name()


class ApprovalFinder(Finder):
    model = Approval
    by = _("approvals by id")
    has_ends = True


FINDERS = (
    PlayerFinder,
    SessionFinder,
    GameFinder,
    CredentialFinder,
    OperatorFinder,
    ApprovalFinder,
)
