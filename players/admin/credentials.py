"""Credentials: made here with a password that is shown once, rotated, and revoked."""

import re
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, QueryDict

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction, ShownOnce, show_once
from lib.backoffice.formatting import NOTHING, clock, link, moment
from lib.backoffice.forms import TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section
from lib.security.tokens import new_password
from players.access.credentials import CREDENTIALS
from players.admin.approved_action import ApprovedAction, RequestForm, told, who_approves
from players.admin.games import life
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from players.approvals.configuration import Values
from players.approvals.credentials import (
    CREDENTIAL_CHANGE,
    NEW_CREDENTIAL,
    CredentialPayload,
    caller_of,
)
from players.approvals.operations import ApprovalRefused, request_approval
from players.audit_trail.record import Origin
from players.models import Approval, Credential, validate_network
from players.operations import revoke_credential

MANAGE = "players.manage_credentials"
ROTATION = _(
    "Both credentials are valid until the old one is revoked. Hand over the new one, "
    "wait until the caller uses it, then revoke the old one on its own page."
)


class CredentialForm(GuardedForm):
    """Says what does not fit before the database's constraint does."""

    kind = CREDENTIAL_CHANGE

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, game = given.get("kind"), given.get("game")
        if kind == Credential.Kind.GAME and not game and "game" not in self.errors:
            self.add_error("game", _("The credential of a game backend needs a game."))
        if kind == Credential.Kind.PLATFORM and game:
            self.add_error("game", _("The web front belongs to no game: leave this empty."))
        return given


class RotationForm(RequestForm):
    """The name and note of a second credential."""

    username = Credential._meta.get_field("username").formfield(widget=TextWidget)  # noqa: SLF001 (documented)
    note = forms.CharField(max_length=200, required=False, widget=TextWidget)
    field_order = ("username", "note", "reason")

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if Credential.objects.filter(username=username).exists():
            raise forms.ValidationError(_("This username is in use, possibly by a revoked credential."))
        return username


def password_once(payload: CredentialPayload, password: str, told: str, back: Model) -> ShownOnce:
    """The page that shows a new password, which is requested only."""
    path = "/wallet/" if payload.game_id else "/entry/"
    return ShownOnce(
        words=told,
        title=format_lazy(_("{username} is requested"), username=payload.username),
        heading=_("Copy the password now: it is shown only once"),
        before=told,
        values=[
            (_("Username"), payload.username, "username"),
            (_("Password"), password, "password"),
            (_("For"), format_lazy(_("{caller}, calling {path}"), caller=caller_of(payload), path=path), ""),
        ],
        after=_(
            "It works, with HTTP Basic, as soon as a second person has approved it. "
            "If it is lost, withdraw the request."
        ),
        back=back,
    )


class Rotate(ApprovedAction[Credential]):
    """Requests a second credential for the same caller."""

    title, permission, kind = _("Make a second credential"), MANAGE, NEW_CREDENTIAL

    def form_for(self, row: Credential, data: QueryDict | None) -> RotationForm:
        return RotationForm(data, initial={"username": next_username(row.username), "note": row.note})

    def page(self, row: Credential) -> Page:
        words = _("A new password for the platform's web front, with the same allow-list as {username}.")
        if row.game:
            words = _("A new password for the game {game}, with the same allow-list as {username}.")
        says = [words.format(game=row.game, username=row.username), ROTATION]
        return Page(
            _("Make a second credential"),
            [*says, who_approves(self.kind)],
            _("Make it and show the password"),
        )

    def payload(self, row: Credential, given: dict[str, Any]) -> CredentialPayload:
        return CredentialPayload(
            # Of the form: what is sent twice is one request.
            given["approval_id"],
            "game" if row.game_id else "platform",
            row.game_id,
            given["username"],
            row.allowed_networks,
            given["note"],
        )

    def do(self, act: Act[Credential]) -> ShownOnce:
        payload, password = self.payload(act.row, act.given), new_password()
        approval = request_once(act.request, payload, act.given, password)
        return password_once(payload, password, told(approval), act.row)


def request_once(
    request: HttpRequest, payload: CredentialPayload, given: dict[str, Any], password: str
) -> Approval:
    """Requests a credential with a password that is shown now. Raises `ApprovalRefused` if it was before."""
    if Approval.objects.filter(pk=given["approval_id"]).exists():
        raise ApprovalRefused(
            _("It is requested already, and its password was shown once. Withdraw it if it is lost.")
        )
    return request_approval(
        NEW_CREDENTIAL,
        payload,
        id=given["approval_id"],
        origin=Origin.of(request),
        reason=given["reason"],
        digest=None,
        secret=password,
    )


class Revoke(PageAction[Credential]):
    """The credential works no more."""

    title, permission = _("Revoke"), "players.revoke_credential"

    def name_to_type(self, row: Credential) -> str:
        is_only_one = not siblings(row).filter(revoked_at=None).exists()
        return row.username if is_only_one else ""

    def page(self, row: Credential) -> Page:
        others = siblings(row).filter(revoked_at=None).count()
        left = _("Other live credentials of this caller: {others}. They stay valid.").format(others=others)
        says = [
            _("Calls with {username} are refused within a few seconds. This cannot be undone.").format(
                username=row.username
            ),
            left if others else _("It is the only live one: this caller will not be able to call at all."),
        ]
        return Page(_("Revoke {username}?").format(username=row.username), says, _("Revoke"), danger=True)

    def do(self, act: Act[Credential]) -> str:
        revoke_credential(act.row)
        return format_lazy(_("{username} is revoked."), username=act.row.username)


def standing(credential: Credential) -> str:
    """Whether calls with a credential are taken, in a sentence."""
    if credential.revoked_at:
        return _("Revoked at {moment}: calls with it are refused.").format(
            moment=moment(credential.revoked_at)
        )
    path = "/wallet/" if credential.game_id else "/entry/"
    whence = ", ".join(credential.allowed_networks) or _("any address")
    return _("Calls to {path} with it are taken from {whence}.").format(path=path, whence=whence)


@admin.register(Credential)
class CredentialAdmin(GuardedAdmin):
    """A credential's password is made by us, shown once, and kept only as a hash that no page shows."""

    form = CredentialForm
    add_permission = change_permission = MANAGE
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("username", "kind", "game", "state", "calls_from", "note", "made")
    list_select_related = ("game",)
    list_filter = ("kind", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("username__iexact", "game__slug__iexact")
    search_help_text = _("Username or game")
    empty_text = _("Add a credential for each game backend, and one for the platform's web front.")
    head_columns = HeadColumns(["state"], ["standing"], ["caller"])
    fields = ("kind", "game", "username", "allowed_networks", "note")
    actions_detail = ("rotate", "revoke")
    rotate, revoke = Rotate(), Revoke()
    item_validators: ClassVar[dict[str, Any]] = {"allowed_networks": validate_network}

    state = columns.text(_("state"), life)
    calls_from = columns.text(
        _("allowed from"), lambda row: ", ".join(row.allowed_networks) or _("any address")
    )
    made = columns.clock(_("created (UTC)"), "created_at")
    made_at = columns.moment(_("created"), "created_at")
    standing = columns.text(_("what it does"), standing)
    caller = columns.link(_("game"), "players_game_change", "game_id", "game.slug", empty=_("the web front"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "made_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "game", "username", "made_at") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A revoked credential is history.
        return bool(super().has_change_permission(request, obj)) and not (obj and obj.revoked_at)

    def forget(self) -> None:
        transaction.on_commit(CREDENTIALS.forget)

    def requested(self, request: HttpRequest, form: Any, after: Values) -> Approval:
        if not form.is_new:
            return super().requested(request, form, after)
        row, password = form.instance, new_password()
        payload = CredentialPayload(
            row.pk, row.kind, row.game_id, row.username, row.allowed_networks, row.note
        )
        request.password_once = payload, password  # type: ignore[attr-defined]
        return request_once(request, payload, form.cleaned_data, password)

    def response_add(
        self, request: HttpRequest, obj: Credential, post_url_continue: str | None = None
    ) -> HttpResponse:
        approval: Approval = request.approval  # type: ignore[attr-defined]
        payload, password = request.password_once  # type: ignore[attr-defined]
        return show_once(self, request, password_once(payload, password, told(approval), approval))

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
        empty = _("None. To change the password, make a second credential, then revoke this one.")
        return [
            Section(
                Credential,
                _("Other credentials of this caller"),
                (_("Username"), _("State"), _("Note"), _("Created (UTC)")),
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
