"""A credential is made for a game's backend, or for the platform's web front."""

from typing import Literal
from uuid import UUID

import msgspec
from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from players.access.credentials import CREDENTIALS
from players.approvals.configuration import ConfigurationChange, Values, in_networks
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.models import Credential, Game
from players.operations import add_credential


class CredentialPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`game_id` of a game's backend alone. The password is the request's secret."""

    credential_id: UUID
    kind: Literal["game", "platform"]
    game_id: UUID | None
    username: str
    allowed_networks: list[str]
    note: str


class NewCredential(Kind[CredentialPayload]):
    """Its password is shown to who requests it, and works from the approval on."""

    name, title, permission = "make_credential", _("new credential"), "players.manage_credentials"
    about, payload = "players.credential", CredentialPayload

    def describe(self, payload: CredentialPayload) -> str:
        words = _("Make the credential {username} for {caller}")
        return format_lazy(words, username=payload.username, caller=caller_of(payload))

    def preview(self, payload: CredentialPayload) -> Preview:
        if Credential.objects.filter(username=payload.username).exists():
            raise NotExecutable(
                format_lazy(
                    _("The username {username} is in use, possibly by a revoked credential."),
                    username=payload.username,
                )
            )
        live = live_usernames(payload)
        changes = [
            Change(
                _("Live credentials of this caller"),
                ", ".join(live) or _("none"),
                ", ".join(sorted([*live, payload.username])),
            ),
            Change(_("Calls allowed from"), _("nothing yet"), in_networks(payload.allowed_networks)),
        ]
        can = _(
            "Whoever has the password can call /entry/ for any player. Who requests it is shown it, once."
        )
        if payload.game_id:
            can = _(
                "Whoever has the password can call players' wallets in the name of the game. "
                "Who requests it is shown it, once."
            )
        return Preview(
            subject_of(Credential(pk=payload.credential_id, username=payload.username)), changes, [can]
        )

    def execute(self, payload: CredentialPayload, execution: Execution) -> str:
        add_credential(
            id=payload.credential_id,
            kind=payload.kind,
            game_id=payload.game_id,
            username=payload.username,
            password=execution.secret,
            allowed_networks=payload.allowed_networks,
            note=payload.note,
        )
        return format_lazy(_("The credential {username} works from now on."), username=payload.username)


class CredentialChange(ConfigurationChange):
    """From where a credential's calls are taken; a note alone needs nobody else."""

    name, title, permission = "change_credential", _("change of a credential"), "players.manage_credentials"
    about, model = "players.credential", Credential
    fields, guarded = ("allowed_networks", "note"), ("allowed_networks",)

    def words(self, name: str, values: Values) -> str:
        if name == "allowed_networks":
            return in_networks(values.get(name) or [])
        return super().words(name, values)

    def write(self, row: Credential, after: Values, execution: Execution) -> None:
        if row.revoked_at:
            raise NotExecutable(_("The credential is revoked."))
        super().write(row, after, execution)
        transaction.on_commit(CREDENTIALS.forget)


NEW_CREDENTIAL, CREDENTIAL_CHANGE = NewCredential(), CredentialChange()


def caller_of(payload: CredentialPayload) -> str:
    """Who will call with it, in words."""
    game = Game.objects.filter(pk=payload.game_id).first() if payload.game_id else None
    return format_lazy(_("the backend of {game}"), game=game) if game else _("the platform's web front")


def live_usernames(payload: CredentialPayload) -> list[str]:
    """The credentials that the same caller has already. The game is locked: they come one after another."""
    if payload.game_id:
        Game.objects.select_for_update().get(pk=payload.game_id)
    live = Credential.objects.filter(kind=payload.kind, game=payload.game_id, revoked_at=None)
    return list(live.order_by("username").values_list("username", flat=True))
