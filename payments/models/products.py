"""What games sell (contract 4.1)."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models import Game
from wallet.models import Currency

ORIGIN = r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?"
# Printable ASCII without spaces, as games write ids.
CODE = RegexValidator(r"\A[!-~]{1,64}\Z", _("1 to 64 printable ASCII characters without spaces."))


def validate_origin(text: str) -> None:
    """Refuses what is no https origin in the form that browsers write."""
    try:
        RegexValidator(rf"\A{ORIGIN}\Z")(text)
    except ValidationError as problem:
        raise ValidationError(
            _("%(text)s is no origin such as https://game.example, without a path."), params={"text": text}
        ) from problem


class Shop(models.Model):
    """A game that sells: where it is told to deliver, and where players may come back to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    game = models.OneToOneField(Game, models.PROTECT, related_name="shop")
    order_url = models.URLField(
        _("order URL"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "The game's endpoint for deliveries of paid orders. Empty: the game delivers nothing itself."
        ),
    )
    return_origins = ArrayField(
        models.CharField(max_length=200, validators=[validate_origin]),
        default=list,
        blank=True,
        help_text=_(
            "Origins that players may return to after paying, such as https://game.example, "
            "separated by commas."
        ),
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("The time since which deliveries are paused.")
    )
    # Since when every delivery fails: payments then no longer send theirs at once, only the sweep tries.
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["game__slug"]

    def __str__(self) -> str:
        return str(self.game)


class Product(models.Model):
    """Something that a game sells.

    It tops up a wallet by a fixed credit, or the game delivers it, or both.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    game = models.ForeignKey(Game, models.PROTECT, related_name="products")
    code = models.CharField(
        _("product id"),
        max_length=64,
        db_collation="C",
        validators=[CODE],
        help_text=_("The game's name for it (productId). It cannot be changed later."),
    )
    name = models.CharField(max_length=100, help_text=_("Shown to players at the checkout."))
    name_de = models.CharField(
        _("German name"),
        max_length=100,
        blank=True,
        help_text=_("Empty: the name above is shown in German too."),
    )
    credit = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The amount added to the wallet, in minor units."),
    )
    credit_currency = models.ForeignKey(Currency, models.PROTECT, null=True, blank=True, related_name="+")
    is_delivered = models.BooleanField(
        _("delivered by the game"),
        default=False,
        help_text=_("The game is told to deliver it once it is paid."),
    )
    on_sale_from = models.DateTimeField(null=True, blank=True, help_text=_("UTC. Empty: immediately."))
    on_sale_to = models.DateTimeField(null=True, blank=True, help_text=_("UTC. Empty: no end."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("change_catalogue", _("Can change products and prices")),
        ]
        ordering = ["game__slug", "code"]
        constraints = [
            models.UniqueConstraint(fields=["game", "code"], name="product_once_per_game"),
            models.CheckConstraint(
                name="product_credit_has_a_currency",
                condition=Q(credit__isnull=True, credit_currency__isnull=True)
                | Q(credit__gt=0, credit__lt=10**17, credit_currency__isnull=False),
            ),
            models.CheckConstraint(
                name="product_gives_something", condition=Q(credit__isnull=False) | Q(is_delivered=True)
            ),
            models.CheckConstraint(
                name="product_sale_ends_after_it_begins",
                condition=Q(on_sale_from=None) | Q(on_sale_to=None) | Q(on_sale_to__gt=F("on_sale_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.game} {self.code}"


class Price(models.Model):
    """What a product costs in one currency, in minor units."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="prices")
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+")
    amount = models.BigIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        default_permissions = ()
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["product", "currency"], name="price_once_per_currency"),
            models.CheckConstraint(name="price_is_positive", condition=Q(amount__gt=0, amount__lt=10**17)),
        ]

    def __str__(self) -> str:
        return f"{self.product} in {self.currency_id}"
