"""Games, the credentials with which their backends and the web front call, and how calls were answered."""

from ipaddress import ip_network

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id


def validate_network(text: str) -> None:
    """Refuses what is neither an address nor a network in CIDR form."""
    try:
        ip_network(text)
    except ValueError as problem:
        raise ValidationError("%(problem)s", params={"problem": problem}) from problem


class Game(models.Model):
    """A game whose backend holds credentials and moves its players' money."""

    class Policy(models.TextChoices):
        """What becomes of a transaction never settled by the game, which cannot be asked (contract 2.4)."""

        EXPIRE = "expire", _("expire")
        HOLD = "hold", _("hold for an operator")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, max_length=40, db_collation="C")
    name = models.CharField(max_length=100)
    launch_url = models.URLField(
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("The game's entry point. token, lang and currency are added as query parameters."),
    )
    is_active = models.BooleanField(
        default=True,
        help_text=_(
            "If off, nobody can launch it or withdraw into it. What has begun is settled, and winnings "
            "are paid."
        ),
    )
    pending_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(50)],
        help_text=_(
            "Hours that a pending transaction waits for the game, at least 50. Empty: the platform's default."
        ),
    )
    unanswered_policy = models.CharField(
        max_length=10,
        choices=Policy.choices,
        default=Policy.EXPIRE,
        help_text=_("Applies to due transactions if the game has no query URL."),
    )
    query_url = models.URLField(
        _("query URL"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "The game's endpoint for status queries about transactions. Empty: the game cannot be queried."
        ),
    )
    query_username = models.CharField(
        _("query username"),
        max_length=64,
        blank=True,
        help_text=_("The platform's username at the game (HTTP Basic)."),
    )
    # Sealed by `lib.security.encryption`; never shown.
    sealed_query_password = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("change_endpoints", _("Can change games, providers, shops, and where they are called")),
        ]
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
        GAME = "game", _("game backend")
        PLATFORM = "platform", _("platform's web front")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    game = models.ForeignKey(Game, models.PROTECT, null=True, blank=True, related_name="credentials")
    username = models.CharField(
        max_length=64,
        unique=True,
        db_collation="C",
        validators=[RegexValidator(r"\A[A-Za-z0-9._@-]+\Z", _("Letters, digits and . _ @ - only."))],
    )
    password_hash = models.BinaryField(max_length=32)
    allowed_networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        default=list,
        blank=True,
        help_text=_(
            "Addresses or networks, separated by commas. Calls from other addresses get no answer. "
            "Empty: any address."
        ),
    )
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("manage_credentials", _("Can make and change credentials")),
            ("revoke_credential", _("Can revoke credentials")),
        ]
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                name="credential_of_a_game_names_it",
                condition=Q(kind="game", game__isnull=False) | Q(kind="platform", game__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.username


class AnswerCount(models.Model):
    """How often the calls of a game to an endpoint were answered with a code on one day (UTC).

    `code` is an error code of the contract, an HTTP status where there was no answer of it, or 0 for the
    successes of calls that no log has. `example` is a refused request of that day, without what is secret.
    """

    pk = models.CompositePrimaryKey("game_id", "day", "endpoint", "code")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    endpoint = models.CharField(max_length=20, db_collation="C")
    code = models.PositiveSmallIntegerField()
    times = models.PositiveBigIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    example = models.CharField(max_length=2048, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day} {self.endpoint} {self.code}"
