"""Credentials: made here with a password that is shown once, rotated, and revoked."""

import re
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction, ShownOnce, show_once
from lib.backoffice.formatting import NOTHING, clock, link
from lib.backoffice.forms import TextWidget
from lib.backoffice.pages import PageAdmin, Section
from players.access.credentials import CREDENTIALS
from players.admin.games import life
from players.models import Credential, validate_network
from players.operations import create_credential, revoke_credential

if TYPE_CHECKING:
    CredentialModelForm = forms.ModelForm[Credential]
else:
    CredentialModelForm = forms.ModelForm

MANAGE = "players.manage_credentials"
ROTATION = (
    "Both credentials are valid until the old one is revoked. Hand over the new one, "
    "wait until the caller uses it, then revoke the old one on its own page."
)


class CredentialForm(CredentialModelForm):
    """Says what does not fit before the database's constraint does."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, game = given.get("kind"), given.get("game")
        if kind == Credential.Kind.GAME and not game and "game" not in self.errors:
            self.add_error("game", "The credential of a game backend needs a game.")
        if kind == Credential.Kind.PLATFORM and game:
            self.add_error("game", "The web front belongs to no game: leave this empty.")
        return given


class RotationForm(forms.Form):
    """The name and note of a second credential."""

    username = Credential._meta.get_field("username").formfield(widget=TextWidget)  # noqa: SLF001 (documented)
    note = forms.CharField(max_length=200, required=False, widget=TextWidget)

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if Credential.objects.filter(username=username).exists():
            raise forms.ValidationError("This username is in use, possibly by a revoked credential.")
        return username


def password_once(made: Credential, password: str, words: str = "") -> ShownOnce:
    """The page that shows a new password; `words` are for the history of another credential."""
    whom = (
        f"the backend of {made.game.name}, calling /wallet/"
        if made.game
        else "the platform's web front, calling /entry/"
    )
    return ShownOnce(
        words=words,
        title=f"{made.username} is made",
        heading="Copy the password now: it is shown only once",
        before="It is stored only as a hash. If it is lost, make a second credential and revoke this one.",
        values=[
            ("Username", made.username, "username"),
            ("Password", password, "password"),
            ("For", whom, ""),
        ],
        after="It works at once, with HTTP Basic.",
        back=made,
    )


class Rotate(PageAction[Credential]):
    """Makes a second credential for the same caller."""

    title, permission = "Make a second credential", MANAGE

    def form_for(self, row: Credential, data: QueryDict | None) -> RotationForm:
        return RotationForm(data, initial={"username": next_username(row.username), "note": row.note})

    def page(self, row: Credential) -> Page:
        whom = f"the game {row.game}" if row.game else "the platform's web front"
        says = [f"A new password for {whom}, with the same allow-list as {row.username}.", ROTATION]
        return Page("Make a second credential", says, "Make it and show the password")

    def do(self, act: Act[Credential]) -> ShownOnce:
        made, password = create_credential(
            kind=act.row.kind,
            game=act.row.game,
            username=act.given["username"],
            allowed_networks=act.row.allowed_networks,
            note=act.given["note"],
        )
        words = f"{made.username} was made as a second credential of {act.row.username}."
        return password_once(made, password, words)


class Revoke(PageAction[Credential]):
    """The credential works no more."""

    title, permission = "Revoke", "players.revoke_credential"
    form = forms.Form

    def page(self, row: Credential) -> Page:
        others = siblings(row).filter(revoked_at=None).count()
        left = f"Other live credentials of this caller: {others}. They stay valid."
        says = [
            f"Calls with {row.username} are refused within a few seconds. This cannot be undone.",
            left if others else "It is the only live one: this caller will not be able to call at all.",
        ]
        return Page(f"Revoke {row.username}?", says, "Revoke", danger=True)

    def do(self, act: Act[Credential]) -> str:
        revoke_credential(act.row)
        return f"{act.row.username} is revoked."


@admin.register(Credential)
class CredentialAdmin(PageAdmin):
    """A credential's password is made by us, shown once, and kept only as a hash that no page shows."""

    form = CredentialForm
    add_permission = change_permission = MANAGE
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("username", "kind", "game", "state", "calls_from", "note", "made")
    list_select_related = ("game",)
    list_filter = ("kind", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("username__iexact", "game__slug__iexact")
    search_help_text = "Username or game"
    empty_text = "Add a credential for each game backend, and one for the platform's web front."
    fields = ("kind", "game", "username", "allowed_networks", "note")
    actions_detail = ("rotate", "revoke")
    rotate, revoke = Rotate(), Revoke()
    item_validators: ClassVar[dict[str, Any]] = {"allowed_networks": validate_network}

    state = columns.text("state", life)
    calls_from = columns.text("allowed from", lambda row: ", ".join(row.allowed_networks) or "any address")
    made = columns.clock("created (UTC)", "created_at")
    made_at = columns.moment("created", "created_at")
    ended_at = columns.moment("revoked", "revoked_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "state", "made_at", "ended_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "game", "username", "state", "made_at", "ended_at") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A revoked credential is history.
        return bool(super().has_change_permission(request, obj)) and not (obj and obj.revoked_at)

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        if change:
            # Only what was edited: it may have been revoked meanwhile.
            obj.save(update_fields=["allowed_networks", "note"])
        else:
            made, password = create_credential(
                kind=obj.kind,
                game=obj.game,
                username=obj.username,
                allowed_networks=obj.allowed_networks,
                note=obj.note,
            )
            obj.pk = made.pk
            request.password_once = password  # type: ignore[attr-defined]
        transaction.on_commit(CREDENTIALS.forget)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # One button: the others would go to a page that cannot show the password.
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": bool(object_id)}
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **only_save}
        )
        return response

    def response_add(
        self, request: HttpRequest, obj: Credential, post_url_continue: str | None = None
    ) -> HttpResponse:
        return show_once(self, request, password_once(obj, request.password_once))  # type: ignore[attr-defined]

    def pointless_actions(self, id: UUID) -> set[str]:
        return set() if Credential.objects.filter(pk=id, revoked_at=None).exists() else {"revoke"}

    def sections(self, request: HttpRequest, obj: Credential) -> list[Section]:
        rows = [
            (
                link(row.username, "players_credential_change", row.pk),
                life(row),
                row.note or NOTHING,
                clock(row.created_at),
            )
            for row in siblings(obj)[:50]
        ]
        empty = "None. To change the password, make a second credential, then revoke this one."
        return [
            Section(
                Credential,
                "Other credentials of this caller",
                ("Username", "State", "Note", "Created (UTC)"),
                rows,
                empty,
            )
        ]


def siblings(credential: Credential) -> Any:
    """The other credentials of the same caller, newest first."""
    return (
        Credential.objects.filter(kind=credential.kind, game=credential.game_id)
        .exclude(pk=credential.pk)
        .order_by("-created_at")
    )


def next_username(username: str) -> str:
    """A free name for the credential that follows: starfall-2 after starfall."""
    stem = re.sub(r"-\d+\Z", "", username)[:58]
    taken = set(Credential.objects.filter(username__startswith=stem).values_list("username", flat=True))
    return next(name for number in range(2, len(taken) + 3) if (name := f"{stem}-{number}") not in taken)
