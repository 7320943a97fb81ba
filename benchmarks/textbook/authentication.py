"""HTTP Basic authentication of a game backend."""

# The type checker knows the models of the platform alone.
# mypy: disable-error-code="attr-defined"

from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed

from benchmarks.textbook.models import Game, hash_password


class GameAuthentication(BasicAuthentication):
    def authenticate_credentials(
        self, userid: str, password: str, request: HttpRequest | None = None
    ) -> tuple[Any, None]:
        try:
            game = Game.objects.get(username=userid)
        except Game.DoesNotExist as unknown:
            raise AuthenticationFailed from unknown
        if not constant_time_compare(game.password_hash, hash_password(password)):
            raise AuthenticationFailed
        return game, None
