"""Games."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import URLField
from django.http import HttpRequest
from django.utils.safestring import SafeString

from players.admin.pages import PageAdmin, Section
from players.admin.show import badge, clock, link
from players.credentials import BOOK
from players.models import Credential, Game


@admin.register(Game)
class GameAdmin(PageAdmin):
    """A game is made and changed here, and switched off, never deleted: transactions name it."""

    list_display = ("slug", "name", "is_active", "launch_url", "pending_hours", "unanswered_policy")
    search_fields = ("slug__iexact", "name__icontains")
    search_help_text = "Slug or name"
    empty_text = "Add a game first, then a credential for its backend."
    fieldsets = (
        (None, {"fields": ("slug", "name", "launch_url", "is_active")}),
        ("Unfinished transactions", {"fields": ("pending_hours", "unanswered_policy")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The front launches by slug: another one would be another game to it.
        return ("slug",) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            # Django's default becomes this with version 6.
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Game, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Callers are remembered with their game's pending time.
        transaction.on_commit(BOOK.forget)

    def sections(self, request: HttpRequest, obj: Game) -> list[Section]:
        if not request.user.has_perm("players.view_credential"):
            return []
        rows = [
            (link(row.username, "players_credential_change", row.pk), life(row), ", ".join(row.allowed_networks) or "everywhere", clock(row.created_at))
            for row in obj.credentials.order_by("revoked_at", "created_at")[:50]
        ]
        empty = "This game's backend cannot call yet: add a credential for it."
        return [Section("Credentials", ("Username", "State", "Calls from", "Made (UTC)"), rows, empty)]


def life(credential: Credential) -> SafeString:
    """Whether a credential still works."""
    return badge("revoked") if credential.revoked_at else badge("live", "success")
