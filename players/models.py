"""Operators, games, credentials, players and their sessions."""

from collections.abc import Collection
from ipaddress import ip_network
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q

from lib.ids import new_id
from lib.names import KEY_LENGTH

UID_PATTERN = r"[A-Za-z0-9._:@-]{1,64}"
# Characters, as stored.
MOST_NICKNAME = 64


def validate_network(text: str) -> None:
    """Refuses what is neither an address nor a network in CIDR form."""
    try:
        ip_network(text)
    except ValueError as problem:
        raise ValidationError("%(problem)s", params={"problem": problem}) from problem


class Operators(UserManager["Operator"]):
    """Makes operators, for `createsuperuser` too, which checks no name that it is given as an option."""

    use_in_migrations = False

    def create_user(self, username: str, *args: Any, **kwargs: Any) -> "Operator":
        validate_username(username)
        return super().create_user(username, *args, **kwargs)

    def create_superuser(self, username: str, *args: Any, **kwargs: Any) -> "Operator":
        validate_username(username)
        return super().create_superuser(username, *args, **kwargs)


# Two names that look alike are one person to whoever reads them: no letters of other alphabets.
validate_username = ASCIIUsernameValidator()


class Operator(AbstractUser):
    """A person who works in the admin. Triggers refuse a new name that is not ASCII, whoever writes it."""

    objects: ClassVar[Operators] = Operators()

    username = models.CharField(
        max_length=150,
        unique=True,
        db_collation="C",
        validators=[validate_username],
        error_messages={"unique": "A user with that username already exists."},
        help_text="At most 150 letters without accents, digits and @ . + - _",
    )

    class Meta:
        verbose_name = "operator"

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """A name from before that rule stays, so that whoever has it can be deactivated."""
        known = Operator.objects.filter(pk=self.pk).values_list("username", flat=True).first()
        kept = {"username"} if known == self.username else set()
        super().clean_fields(exclude={*(exclude or ()), *kept})


class Game(models.Model):
    """A game whose backend holds credentials and moves its players' money."""

    class Policy(models.TextChoices):
        """What becomes of a transaction never settled by the game, which cannot be asked (contract 2.4)."""

        EXPIRE = "expire", "expire"
        HOLD = "hold", "hold for an operator"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, max_length=40, db_collation="C")
    name = models.CharField(max_length=100)
    launch_url = models.URLField(
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text="The game's entry point. token, lang and currency are added as query parameters.",
    )
    is_active = models.BooleanField(
        default=True,
        help_text="If off, no new sessions are started. Running sessions and their transactions continue.",
    )
    pending_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(50)],
        help_text="Hours that a pending transaction waits for the game, at least 50. Empty: the platform's "
        "default.",
    )
    unanswered_policy = models.CharField(
        max_length=10,
        choices=Policy.choices,
        default=Policy.EXPIRE,
        help_text="Applies to due transactions if the game has no query URL.",
    )
    query_url = models.URLField(
        "query URL",
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text="The game's endpoint for status queries about transactions. Empty: the game cannot be "
        "queried.",
    )
    query_username = models.CharField(
        "query username",
        max_length=64,
        blank=True,
        help_text="The platform's username at the game (HTTP Basic).",
    )
    # Sealed by `lib.security.encryption`; never shown.
    sealed_query_password = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                name="game_pending_hours_at_least_50",
                condition=Q(pending_hours__isnull=True) | Q(pending_hours__gte=50),
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Credential(models.Model):
    """A username and the hash of a password, with which one party calls the API (contract 1.2)."""

    class Kind(models.TextChoices):
        GAME = "game", "game backend"
        PLATFORM = "platform", "platform's web front"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    game = models.ForeignKey(Game, models.PROTECT, null=True, blank=True, related_name="credentials")
    username = models.CharField(
        max_length=64,
        unique=True,
        db_collation="C",
        validators=[RegexValidator(r"\A[A-Za-z0-9._@-]+\Z", "Letters, digits and . _ @ - only.")],
    )
    password_hash = models.BinaryField(max_length=32)
    allowed_networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        default=list,
        blank=True,
        help_text="Addresses or networks, separated by commas. Calls from other addresses get no answer. "
        "Empty: any address.",
    )
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                name="credential_of_a_game_names_it",
                condition=Q(kind="game", game__isnull=False) | Q(kind="platform", game__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.username


class Player(models.Model):
    """A person who plays; known to the outside by the platform's uid."""

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        BLOCKED = "blocked", "blocked"
        SELF_EXCLUDED = "self_excluded", "self-excluded"
        CLOSED = "closed", "closed"

    class SetBy(models.TextChoices):
        """Who set the status: the web front lifts only its own blocks (contract 3)."""

        FRONT = "front", "web front"
        OPERATOR = "operator", "operator"

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
    is_test = models.BooleanField(
        "test player",
        default=False,
        help_text="A player for demonstration or tests, excluded from reports.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="player_status_is_known",
                condition=Q(status__in=["active", "blocked", "self_excluded", "closed"]),
            ),
        ]
        indexes = [models.Index(fields=["nickname_key"], name="player_by_nickname")]

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
        indexes = [models.Index(fields=["player", "at"], name="player_event_by_player")]

    def __str__(self) -> str:
        return f"{self.old_status or 'new'} → {self.new_status}"


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
        verbose_name = "session"
        indexes = [models.Index(fields=["player", "-created_at"], name="session_by_player")]

    def __str__(self) -> str:
        return f"session {self.id}"
