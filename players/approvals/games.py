"""A game is added, or players are launched, or it is queried, at another place."""

from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from lib.security.encryption import Unreadable
from lib.security.tokens import password_hash
from players.access.credentials import CREDENTIALS
from players.approvals.configuration import ConfigurationChange, ConfigurationPayload, Values
from players.approvals.kinds import Execution
from players.models import Game
from players.operations import query_credential, set_query_password

# A field of the form; the model has it sealed.
PASSWORD = "query_password"  # noqa: S105 (its name)
QUERY = {"query_url", "query_username", PASSWORD}
UNREADABLE = "set"


class GameChange(ConfigurationChange):
    """The query password is the request's secret; of it the request says a fingerprint."""

    name, title, permission = "change_game", _("change of a game"), "players.change_endpoints"
    about, model = "players.game", Game
    fields = (
        *("slug", "name", "launch_url", "is_active", "pending_hours", "unanswered_policy"),
        *("query_url", "query_username"),
    )
    # Switched off by one person, by an act of its own.
    guarded = (
        *("launch_url", "is_active", "query_url", "query_username", "pending_hours", "unanswered_policy"),
        PASSWORD,
    )

    def values(self, row: Game) -> Values:
        return {**super().values(row), PASSWORD: password_fingerprint(row)}

    def label(self, name: str) -> str:
        return _("Query password") if name == PASSWORD else super().label(name)

    def words(self, name: str, values: Values) -> str:
        if name == PASSWORD:
            is_set = bool(values.get(name))
            return format_lazy(_("fingerprint {print}"), print=values[name]) if is_set else _("not set")
        return super().words(name, values)

    def says(self, payload: ConfigurationPayload) -> list[str]:
        is_queried = payload.is_new or not QUERY.isdisjoint(payload.after)
        meaning = _("What answers at the query URL decides about players' unfinished transactions.")
        return [*super().says(payload), *([meaning] if is_queried else [])]

    def write(self, row: Game, after: Values, execution: Execution) -> None:
        super().write(row, after, execution)
        if PASSWORD in after:
            set_query_password(row, execution.secret if after[PASSWORD] else "")
        transaction.on_commit(CREDENTIALS.forget)


GAME_CHANGE = GameChange()


def password_fingerprint(game: Game) -> str:
    """Enough to tell a game's query password from another one; nothing if there is none."""
    if not game.sealed_query_password:
        return ""
    try:
        credential = query_credential(game)
    except Unreadable:
        return UNREADABLE
    return fingerprint_of_password(credential.password) if credential else ""


def fingerprint_of_password(password: str) -> str:
    return password_hash(password)[:4].hex()
