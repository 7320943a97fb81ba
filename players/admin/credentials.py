"""Credentials: made here with a password that is shown once, rotated, and revoked."""

import re
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import TextWidget, ask, done, page_action, page_of
from lib.backoffice.formatting import NOTHING, clock, link, moment
from lib.backoffice.pages import PageAdmin, Section
from players.access.credentials import CREDENTIALS
from players.admin.games import life
from players.models import Credential, validate_network
from players.operations import create_credential, revoke_credential

if TYPE_CHECKING:
    CredentialModelForm = forms.ModelForm[Credential]
else:
    CredentialModelForm = forms.ModelForm

ROTATION = "Both credentials work until the old one is revoked: hand the new one over, wait until the caller uses it, then revoke the old one on its own page."


class CredentialForm(CredentialModelForm):
    """Says what does not fit before the database's constraint does."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, game = given.get("kind"), given.get("game")
        if kind == Credential.Kind.GAME and not game and "game" not in self.errors:
            self.add_error("game", "A game backend's credential names its game.")
        if kind == Credential.Kind.PLATFORM and game:
            self.add_error("game", "The platform's web front belongs to no game: leave this empty.")
        return given


class RotationForm(forms.Form):
    """The name and note of a second credential."""

    username = Credential._meta.get_field("username").formfield(widget=TextWidget)  # noqa: SLF001 (documented)
    note = forms.CharField(max_length=200, required=False, widget=TextWidget)

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if Credential.objects.filter(username=username).exists():
            raise forms.ValidationError("This username is taken, perhaps by a revoked credential.")
        return username


@admin.register(Credential)
class CredentialAdmin(PageAdmin):
    """A credential's password is made by us, shown once, and kept only as a hash that no page shows."""

    form = CredentialForm
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("username", "kind", "game", "state", "calls_from", "note", "made")
    list_select_related = ("game",)
    list_filter = ("kind", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("username__iexact", "game__slug__iexact")
    search_help_text = "Username or game"
    empty_text = "Add a credential for each game backend, and one for the platform's web front."
    fields = ("kind", "game", "username", "allowed_networks", "note")
    actions_detail = ("rotate", "revoke")

    @admin.display(description="state")
    def state(self, obj: Credential) -> SafeString:
        return life(obj)

    @admin.display(description="calls from")
    def calls_from(self, obj: Credential) -> str:
        return ", ".join(obj.allowed_networks) or "everywhere"

    @admin.display(description="made (UTC)")
    def made(self, obj: Credential) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="made")
    def made_at(self, obj: Credential) -> str:
        return moment(obj.created_at)

    @admin.display(description="revoked")
    def ended_at(self, obj: Credential) -> str:
        return moment(obj.revoked_at)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "allowed_networks" and field:
            # The form says what is wrong with an item; the model's validators would only say which one.
            field.base_field.validators.append(validate_network)
        return field

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
        return self.show_once(request, obj, request.password_once)  # type: ignore[attr-defined]

    def show_once(self, request: HttpRequest, credential: Credential, password: str) -> HttpResponse:
        """The answer to the form that made the credential: the only page that ever shows the password."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": credential,
            "title": f"{credential.username} is made",
            "credential": credential,
            "password": password,
            "back": page_of(credential),
        }
        return TemplateResponse(
            request, "admin/secret_once.html", context, headers={"Cache-Control": "no-store"}
        )

    def senseless_actions(self, id: UUID) -> set[str]:
        return set() if Credential.objects.filter(pk=id, revoked_at=None).exists() else {"revoke"}

    @page_action(title="Make a second credential", permission="players.add_credential")
    def rotate(self, request: HttpRequest, obj: Credential) -> HttpResponse:
        form = RotationForm(
            request.POST or None, initial={"username": next_username(obj.username), "note": obj.note}
        )
        if request.method == "POST" and form.is_valid():
            made, password = create_credential(
                kind=obj.kind,
                game=obj.game,
                username=form.cleaned_data["username"],
                allowed_networks=obj.allowed_networks,
                note=form.cleaned_data["note"],
            )
            self.log_addition(request, made, f"Made as a second credential beside {obj.username}.")
            return self.show_once(request, made, password)
        whom = f"the game {obj.game}" if obj.game else "the platform's web front"
        says = [f"A new password for {whom}, with the same allow-list as {obj.username}.", ROTATION]
        return ask(
            self,
            request,
            obj,
            title="Make a second credential",
            says=says,
            form=form,
            button="Make it and show the password",
        )

    @page_action(title="Revoke", permission="players.change_credential")
    def revoke(self, request: HttpRequest, obj: Credential) -> HttpResponse:
        if request.method == "POST":
            revoke_credential(obj)
            return done(self, request, obj, f"{obj.username} is revoked.")
        others = siblings(obj).filter(revoked_at=None).count()
        left = f"{others} other live credential{'s' if others != 1 else ''} of this caller go{'es' if others == 1 else ''} on."
        says = [
            f"Calls with {obj.username} are refused within a few seconds. This cannot be undone.",
            left if others else "It is the only one: this caller can call no more.",
        ]
        return ask(
            self,
            request,
            obj,
            title=f"Revoke {obj.username}?",
            says=says,
            form=None,
            button="Revoke",
            danger=True,
        )

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
        empty = "None. To change the password, make a second credential; it works beside this one until you revoke this one."
        return [
            Section(
                "Other credentials of this caller", ("Username", "State", "Note", "Made (UTC)"), rows, empty
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
