"""Players and the sessions in which they play."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from lib.names import KEY_LENGTH
from players.models.games import Game

UID_PATTERN = r"[A-Za-z0-9._:@-]{1,64}"
# Characters, as stored.
MOST_NICKNAME = 64
MOST_NOTE = 2_000


class Player(models.Model):
    """A person who plays; known to the outside by the platform's uid."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        BLOCKED = "blocked", _("blocked")
        SELF_EXCLUDED = "self_excluded", _("self-excluded")
        CLOSED = "closed", _("closed")

    class SetBy(models.TextChoices):
        """Who set the status: the web front lifts only its own blocks (contract 3)."""

        FRONT = "front", _("web front")
        OPERATOR = "operator", _("operator")
        PLATFORM = "platform", _("the platform")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uid = models.CharField(
        max_length=64,
        unique=True,
        db_collation="C",
        validators=[RegexValidator(rf"\A{UID_PATTERN}\Z")],
    )
    nickname = models.CharField(max_length=MOST_NICKNAME, blank=True)
    # `lib.names.search_key` of it; equal keys are equal bytes, whatever the database's language.
    nickname_key = models.CharField(max_length=KEY_LENGTH, blank=True, editable=False, db_collation="C")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    language = models.CharField(max_length=35, blank=True, help_text="BCP 47")
    status = models.CharField(max_length=13, choices=Status.choices, default=Status.ACTIVE)
    status_set_by = models.CharField(max_length=8, choices=SetBy.choices, default=SetBy.FRONT)
    # When a self-exclusion ends by itself; empty if it has no end, and if there is none.
    excluded_until = models.DateTimeField(null=True, blank=True)
    # From when on the player can confirm that a self-exclusion is lifted; empty if operators have not agreed.
    liftable_at = models.DateTimeField(null=True, blank=True)
    # Who had blocked the player when the exclusion began: that block is there again when it ends.
    block_beneath = models.CharField(max_length=8, choices=SetBy.choices, blank=True, db_default="")
    is_test = models.BooleanField(
        _("test player"),
        default=False,
        help_text=_("A player for demonstration or tests, excluded from reports."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("change_player_status", _("Can change the status of players")),
            ("mark_test_player", _("Can mark test players")),
            ("launch_test_session", _("Can launch sessions of test players")),
            ("export_player", _("Can export and print the statement of a player")),
        ]
        constraints = [
            models.CheckConstraint(
                name="player_status_is_known",
                condition=Q(status__in=["active", "blocked", "self_excluded", "closed"]),
            ),
        ]
        indexes = [
            models.Index(fields=["nickname_key"], name="player_by_nickname"),
            models.Index(
                fields=["excluded_until"],
                name="player_excluded_until",
                condition=Q(excluded_until__isnull=False),
            ),
            models.Index(IdEnd("id"), name="player_by_id_end"),
        ]

    def __str__(self) -> str:
        return self.uid


class PlayerEvent(models.Model):
    """One change of a player's status, kept for ever (append-only by trigger)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="events")
    old_status = models.CharField(max_length=13, blank=True)
    new_status = models.CharField(max_length=13)
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["player", "at"], name="player_event_by_player")]

    def __str__(self) -> str:
        return f"{self.old_status or 'new'} → {self.new_status}"


class PlayerNote(models.Model):
    """What an operator wrote down about a player, kept for ever (append-only by trigger)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="notes", db_index=False)
    operator = models.ForeignKey("players.Operator", models.PROTECT, related_name="+", db_index=False)
    text = models.CharField(max_length=MOST_NOTE)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        permissions = [("add_note", _("Can add notes about players"))]
        verbose_name = _("note about a player")
        verbose_name_plural = _("notes about players")
        indexes = [models.Index(fields=["player", "-id"], name="player_note_by_player")]

    def __str__(self) -> str:
        return f"note {self.id}"


class GameSession(models.Model):
    """One launch of a game by a player in one currency.

    What its token stands for never changes (contract 2.2).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    player = models.ForeignKey(Player, models.PROTECT, related_name="game_sessions")
    game = models.ForeignKey(Game, models.PROTECT, related_name="game_sessions")
    currency_code = models.CharField(max_length=12, db_collation="C")
    language = models.CharField(max_length=35, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # Set when a transaction first names it; a trigger then refuses its deletion (contract 2.2).
    is_kept = models.BooleanField(default=False, editable=False)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("end_session", _("Can end sessions")),
        ]
        verbose_name = _("session")
        indexes = [
            models.Index(fields=["player", "-created_at"], name="session_by_player"),
            models.Index(IdEnd("id"), name="session_by_id_end"),
        ]

    def __str__(self) -> str:
        return f"session {self.id}"
