"""Searches by a session: a pasted session token is replaced by its session's id, which is no secret."""

from typing import Any

from django.db.models import QuerySet

from lib.backoffice.pages import read_uuid
from lib.backoffice.search import SearchingAdmin
from lib.security.tokens import token_hash
from players.models import GameSession

# How a search names a session: this word, then the session's id.
SESSION = "session:"


class SessionSearchAdmin(SearchingAdmin):
    """A list that is also searched by the token of a session."""

    def without_secrets(self, text: str) -> str:
        given = read_uuid(text)
        # Tokens are random (version 4); our own ids are of version 7, and so need no look.
        if given is None or given.version != 4:
            return text
        session = GameSession.objects.filter(token_hash=token_hash(given)).only("pk").first()
        return f"{SESSION}{session.pk}" if session else text

    def matching(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text.startswith(SESSION):
            return super().matching(queryset, text)
        id = read_uuid(text.removeprefix(SESSION))
        session = GameSession.objects.filter(pk=id).first() if id else None
        return self.of_session(queryset, session) if session else queryset.none()

    def of_session(self, queryset: QuerySet[Any], session: GameSession) -> QuerySet[Any]:
        """The rows that belong to a session."""
        raise NotImplementedError
