"""Games."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from lib.backoffice import columns
from lib.backoffice.formatting import badge, clock, link
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section
from players.access.credentials import CREDENTIALS
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from players.admin.switches import Deactivate, Reactivate, pointless_switch, show_activity, without_switch
from players.approvals.configuration import Values
from players.approvals.games import GAME_CHANGE, PASSWORD, fingerprint_of_password
from players.models import Credential, Game
from players.operations import deactivate_game
from players.query_passwords import is_used

if TYPE_CHECKING:
    from django.forms import CheckboxInput as SwitchWidget
    from django.forms import PasswordInput as PasswordWidget

    GameModelForm = forms.ModelForm[Game]
else:
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordWidget
    from unfold.widgets import UnfoldBooleanSwitchWidget as SwitchWidget

    GameModelForm = forms.ModelForm

ENDPOINTS = "players.change_endpoints"
# Sealed, it must fit its column.
MOST_PASSWORD_BYTES = 256
UNFINISHED = _(
    "A transaction that the game neither confirms nor rolls back stays pending. When it is due, a game with "
    "a query URL is queried for its final state. Without a query URL the policy decides: "
    "<em>expire</em> returns a withdrawal to the player and cancels a deposit; "
    "<em>hold</em> leaves both to an operator, under “Manual review”."
)
STATUS_QUERIES = _(
    "The platform sends a POST with HTTP Basic to this URL, with the username and password entered here. "
    "If both are empty, no Authorization header is sent; if one is empty, it is sent empty. "
    "An address in a private network is called only if OUTGOING_ALLOWED_NETWORKS allows it."
)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """The server that a URL is sent to."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


class GameForm(GuardedForm):
    """A game. Its query password is only written, never shown: the page says whether there is one."""

    kind = GAME_CHANGE

    query_password = forms.CharField(
        label=_("Query password"),
        required=False,
        strip=False,
        max_length=MOST_PASSWORD_BYTES,
        widget=PasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    forget_query_password = forms.BooleanField(
        label=_("Remove the query password"), required=False, widget=SwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "query_password" in self.fields:
            words = (
                _("A password is set; it is never shown. Leave this empty to keep it.")
                if self.instance.sealed_query_password
                else _("No password is set.")
            )
            self.fields["query_password"].help_text = words

    def clean_query_username(self) -> str:
        username: str = self.cleaned_data["query_username"]
        if ":" in username or not username.isprintable():
            raise ValidationError(_("HTTP Basic allows no colon and no control characters in a username."))
        return username

    def clean_query_password(self) -> str:
        password: str = self.cleaned_data["query_password"]
        if password and is_used(password, besides=self.instance):
            raise ValidationError(
                _("This secret is or was used for something else: each secret must be used only once.")
            )
        if len(password.encode(errors="surrogatepass")) > MOST_PASSWORD_BYTES:
            raise ValidationError(format_lazy(_("At most {number} bytes."), number=MOST_PASSWORD_BYTES))
        return password

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        new, forgets = given.get("query_password"), given.get("forget_query_password")
        if new and forgets:
            self.add_error("query_password", _("Enter a new password or remove the present one, not both."))
        stays = bool(self.instance.sealed_query_password) and not new and not forgets
        if "query_url" in given:
            self.check_place(given["query_url"], has_password=bool(new) or stays, stays=stays)
        return given

    def secret(self) -> str:
        return str(self.cleaned_data.get("query_password") or "")

    def wanted(self, formsets: Any) -> Values:
        after = super().wanted(formsets)
        if self.secret():
            return {**after, PASSWORD: fingerprint_of_password(self.secret())}
        return {**after, PASSWORD: ""} if self.cleaned_data.get("forget_query_password") else after

    def check_place(self, url: str, *, has_password: bool, stays: bool) -> None:
        """A password is sent only to the server that it was entered for."""
        if not url and has_password:
            self.add_error(
                "query_url",
                _(
                    "There is a query password but no URL to send it to: enter the URL, "
                    "or remove the password."
                ),
            )
        elif not url and self.cleaned_data.get("query_username"):
            self.add_error("query_url", _("There is a query username but no URL to send it to."))
        elif stays and origin(url) != origin(self.initial.get("query_url", "")):
            self.add_error(
                "query_password",
                _("The password was entered for another server: enter it again, or remove it."),
            )


def launching(game: Game) -> str:
    """Whether players can begin to play, in a sentence."""
    if not game.is_active:
        return _("Players can neither launch it nor withdraw into it; what has begun is settled.")
    return _("Players can launch it from the web front.")


def due_words(game: Game) -> str:
    """What becomes of transactions that the game does not settle, in a sentence."""
    hours = game.pending_hours or settings.PENDING_TTL // timedelta(hours=1)
    if game.query_url:
        words = _("A transaction that it does not settle is due after {hours} h: then the game is queried.")
        return words.format(hours=hours)
    if game.unanswered_policy == Game.Policy.HOLD:
        words = _("A transaction that it does not settle is due after {hours} h: then an operator decides.")
        return words.format(hours=hours)
    return _("A transaction that it does not settle expires after {hours} h.").format(hours=hours)


class GameAdmin(GuardedAdmin):
    """A game is added, changed and deactivated here, never deleted: transactions name it."""

    form = GameForm
    head_columns = HeadColumns(["activity"], ["launching", "due_words"], ["health"])
    add_permission = change_permission = ENDPOINTS
    actions_detail = ("deactivate", "reactivate")
    deactivate = Deactivate(
        ENDPOINTS,
        deactivate_game,
        _("The web front can launch it no more, and its new withdrawals are refused (103)."),
        _("What has begun is settled, and its deposits are accepted: players get what they have won."),
    )
    reactivate = Reactivate(GAME_CHANGE)
    list_display = ("slug", "name", "is_active", "launch_url", "pending_time", "when_due")
    search_fields = ("slug__iexact", "name__icontains")
    search_help_text = _("Slug or name")
    empty_text = _("Add a game first, then a credential for its backend.")
    fieldsets = (
        (None, {"fields": ("slug", "name", "launch_url", "is_active")}),
        (
            _("Pending transactions"),
            {"fields": ("pending_hours", "unanswered_policy"), "description": UNFINISHED},
        ),
        (
            _("Status queries"),
            {
                "fields": ("query_url", "query_username", "query_password", "forget_query_password"),
                "description": STATUS_QUERIES,
            },
        ),
    )

    pending_time = columns.text(
        _("due after"), lambda row: f"{row.pending_hours} h" if row.pending_hours else _("the default")
    )

    @admin.display(description=_("when due"))
    def when_due(self, obj: Game) -> SafeString:
        if obj.query_url:
            return badge(_("queried"), "info")
        return (
            badge(_("held"), "warning") if obj.unanswered_policy == Game.Policy.HOLD else badge(_("expires"))
        )

    activity = columns.text(_("state"), show_activity)
    launching = columns.text(_("launching"), launching)
    due_words = columns.text(_("when due"), due_words)
    health = columns.text(
        _("integration"), lambda row: link(_("Integration health"), "integration", row.slug)
    )
    password_state = columns.text(
        _("query password"), lambda row: _("set") if row.sealed_query_password else _("not set")
    )

    def title_of(self, row: Game) -> str:
        return row.name

    def get_fieldsets(self, request: HttpRequest, obj: Game | None = None) -> Any:
        first, second, (title, options), *others = super().get_fieldsets(request, obj)
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            options = {**options, "fields": ("query_url", "query_username", "password_state")}
        elif not (obj and obj.sealed_query_password):
            options = {**options, "fields": ("query_url", "query_username", "query_password")}
        fieldsets = [first, second, (title, options), *others]
        return without_switch(fieldsets) if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The front launches by slug: another one would be another game to it.
        return ("slug", "password_state") if obj else ("password_state",)

    @method_decorator(sensitive_post_parameters("query_password"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return response

    def pointless_actions(self, id: UUID) -> set[str]:
        return pointless_switch(Game, id)

    def forget(self) -> None:
        # Callers are remembered with their game.
        transaction.on_commit(CREDENTIALS.forget)

    def sections(self, request: HttpRequest, obj: Game) -> list[Section]:
        rows = [
            (
                link(row.username, "players_credential_change", row.pk),
                life(row),
                ", ".join(row.allowed_networks) or _("any address"),
                clock(row.created_at),
            )
            for row in obj.credentials.order_by("revoked_at", "created_at")[:50]
        ]
        empty = _("This game's backend has no credential and cannot call yet: add one.")
        return [
            Section(
                Credential,
                _("Credentials"),
                (_("Username"), _("State"), _("Allowed from"), _("Created (UTC)")),
                rows,
                empty,
            )
        ]


def life(credential: Credential) -> SafeString:
    """Whether a credential still works."""
    return badge(_("revoked")) if credential.revoked_at else badge(_("live"), "success")
