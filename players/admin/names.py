"""What operators call the models and fields that say no name themselves."""

from lib.backoffice.languages import _
from lib.backoffice.names import name_fields, name_model
from players.models import (
    Approval,
    ApprovalRule,
    AuditEvent,
    Credential,
    Game,
    GameSession,
    Operator,
    PlatformSwitch,
    Player,
)

name_model(Approval, _("approval"), _("approvals"))
name_model(
    ApprovalRule,
    _("approval rule"),
    _("approval rules"),
    kind=_("kind"),
    alone_up_to=_("alone up to"),
    alone_per_day=_("alone per day"),
)
name_model(
    Credential,
    _("credential"),
    _("credentials"),
    kind=_("kind"),
    game=_("game"),
    username=_("username"),
    allowed_networks=_("allowed networks"),
    note=_("note"),
    revoked_at=_("revoked at"),
)
name_model(
    Game,
    _("game"),
    _("games"),
    slug=_("slug"),
    name=_("name"),
    launch_url=_("launch url"),
    is_active=_("is active"),
    pending_hours=_("pending hours"),
    unanswered_policy=_("unanswered policy"),
)
name_model(GameSession, _("session"), _("sessions"), language=_("language"), is_kept=_("is kept"))
name_model(Operator, _("operator"), _("operators"), username=_("username"))
name_model(
    PlatformSwitch,
    _("platform switch"),
    _("platform switches"),
    switched_at=_("switched at"),
    switched_by=_("switched by"),
    reason=_("reason"),
)
name_model(Player, _("player"), _("players"), country=_("country"), language=_("language"))
name_fields(AuditEvent, reason=_("reason"), note=_("note"))
