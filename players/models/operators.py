"""Operators: the people who work in the admin."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id


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


class Operator(AbstractUser):  # type: ignore[django-manager-missing]  # django-otp has no types
    """A person who works in the admin. Triggers refuse a new name that is not ASCII, whoever writes it."""

    objects: ClassVar[Operators] = Operators()

    username = models.CharField(
        max_length=150,
        unique=True,
        db_collation="C",
        validators=[validate_username],
        error_messages={"unique": _("A user with that username already exists.")},
        help_text=_("At most 150 letters without accents, digits and @ . + - _"),
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("manage_operators", _("Can make, change and deactivate operators")),
            ("manage_roles", _("Can give and take roles")),
            ("share_views", _("Can share views of lists")),
        ]
        verbose_name = _("operator")

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """A name from before that rule stays, so that whoever has it can be deactivated."""
        known = Operator.objects.filter(pk=self.pk).values_list("username", flat=True).first()
        kept = {"username"} if known == self.username else set()
        super().clean_fields(exclude={*(exclude or ()), *kept})


class LoginLink(models.Model):
    """A one-time link with which an operator chooses a password. Of its token only a hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="login_links")
    token_hash = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Used, or replaced by a later one.
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="operator_has_one_live_login_link", fields=["operator"], condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"log-in link of {self.operator_id}"
