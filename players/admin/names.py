"""What operators call the models and fields that say no name themselves."""

from typing import Any

from lib.backoffice.languages import _
from players.models import (
    Approval,
    ApprovalRule,
    AuditEvent,
    Credential,
    Game,
    GameSession,
    Operator,
    Player,
)

# One and many.
MODELS: dict[Any, tuple[str, str]] = {
    Approval: (_("approval"), _("approvals")),
    ApprovalRule: (_("approval rule"), _("approval rules")),
    Credential: (_("credential"), _("credentials")),
    Game: (_("game"), _("games")),
    GameSession: (_("session"), _("sessions")),
    Operator: (_("operator"), _("operators")),
    Player: (_("player"), _("players")),
}
FIELDS: dict[Any, dict[str, str]] = {
    ApprovalRule: {
        "kind": _("kind"),
        "alone_up_to": _("alone up to"),
        "alone_per_day": _("alone per day"),
    },
    AuditEvent: {"reason": _("reason"), "note": _("note")},
    Credential: {
        "kind": _("kind"),
        "game": _("game"),
        "username": _("username"),
        "allowed_networks": _("allowed networks"),
        "note": _("note"),
        "revoked_at": _("revoked at"),
    },
    Game: {
        "slug": _("slug"),
        "name": _("name"),
        "launch_url": _("launch url"),
        "is_active": _("is active"),
        "pending_hours": _("pending hours"),
        "unanswered_policy": _("unanswered policy"),
    },
    GameSession: {"language": _("language"), "is_kept": _("is kept")},
    Operator: {"username": _("username")},
    Player: {"country": _("country"), "language": _("language")},
}


def name_models(models: dict[Any, tuple[str, str]], fields: dict[Any, dict[str, str]]) -> None:
    """Sets the names: as the models' own they would be a migration of nothing but words."""
    for model, (one, many) in models.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many  # noqa: SLF001 (documented)
    for model, labels in fields.items():
        for name, label in labels.items():
            model._meta.get_field(name).verbose_name = label  # noqa: SLF001 (documented)
