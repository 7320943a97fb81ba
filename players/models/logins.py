"""The doors for operators: failed log-ins, sessions, and second factors."""

import hmac
from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_otp.models import Device, DeviceManager
from django_otp.oath import hotp

from lib.backoffice.languages import _
from lib.clock import now
from lib.ids import new_id
from lib.security.encryption import open_sealed, seal
from lib.security.tokens import password_hash
from players.models.operators import Operator

# A code of an authenticator app is good for so many seconds, and in the steps before and after for clocks
# that go wrong (RFC 6238, 5.2).
STEP_SECONDS = 30
STEPS_OFF = (-1, 0, 1)


class LoginCounter(models.Model):
    """Failures in a row of a name, an address, or a name at an address, which stand hashed in the key."""

    key = models.CharField(primary_key=True, max_length=64, db_collation="C")
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["last_at"], name="login_counter_by_time")]

    def __str__(self) -> str:
        return f"{self.failures} failures"


class OperatorSession(models.Model):
    """One log-in of an operator, from the password to its end. The cookie's session knows its id."""

    class End(models.TextChoices):
        LOGGED_OUT = "logged_out", _("logged out")
        IDLE = "idle", _("not used for too long")
        TOO_LONG = "too_long", _("lasted too long")
        BY_HAND = "by_hand", _("ended from another session")
        PASSWORD = "password", _("password changed")
        FACTOR = "factor", _("second factor changed")

    # Where the cookie's session keeps the id.
    KEY = "operator_session"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="login_sessions")
    began_at = models.DateTimeField()
    # To half a minute.
    last_seen_at = models.DateTimeField()
    address = models.CharField(max_length=45)
    browser = models.CharField(max_length=200, blank=True)
    # Whether a second factor is still to be shown, and when one was shown last.
    is_factor_due = models.BooleanField(default=False)
    factor_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, choices=End.choices, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["operator", "-began_at"], name="operator_session_by_operator")]

    def __str__(self) -> str:
        return f"log-in of {self.began_at:%Y-%m-%d %H:%M}"


class AuthenticatorApp(Device):  # type: ignore[misc]
    """The app that shows an operator a code every half minute (TOTP). Its secret is sealed, and never shown
    again. Its id is a number because django-otp finds devices by one.
    """

    sealed_secret = models.CharField(max_length=200, editable=False)
    # The time step of the last code that was taken: each is good once.
    last_step = models.BigIntegerField(default=-1)
    made_at = models.DateTimeField()

    objects: ClassVar[models.Manager["AuthenticatorApp"]] = DeviceManager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user"], name="one_authenticator_app_each")]

    @staticmethod
    def purpose(operator: Operator) -> str:
        """What its secret is sealed for."""
        return f"authenticator app of operator {operator.pk}"

    @classmethod
    def seal(cls, operator: Operator, secret: bytes) -> str:
        """The secret as it is stored."""
        return seal(secret.hex(), purpose=cls.purpose(operator))

    @classmethod
    def open(cls, operator: Operator, sealed: str) -> bytes:
        """The secret of the operator's app. Raises `Unreadable`."""
        return bytes.fromhex(open_sealed(sealed, purpose=cls.purpose(operator)))

    def verify_token(self, token: str) -> bool:
        """Whether the code is right now, and newer than the last one. The row is locked by the caller."""
        step = step_of(self.open(self.user, self.sealed_secret), token, now())
        if step is None or step <= self.last_step:
            return False
        self.last_step = step
        self.save(update_fields=["last_step"])
        return True


class RecoveryCodes(Device):  # type: ignore[misc]
    """Codes on paper, each good once, for whoever has lost the other factors."""

    hashes = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    made_at = models.DateTimeField()

    objects: ClassVar[models.Manager["RecoveryCodes"]] = DeviceManager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user"], name="one_set_of_recovery_codes_each")]

    def verify_token(self, token: str) -> bool:
        """Whether the code is one of them; it is used up by that. The row is locked by the caller."""
        known = recovery_hash(token)
        if known not in self.hashes:
            return False
        self.hashes.remove(known)
        self.save(update_fields=["hashes"])
        return True


def step_of(secret: bytes, token: str, at: datetime) -> int | None:
    """The time step whose code this is, the latest of those around a moment; None if of none."""
    step = int(at.timestamp()) // STEP_SECONDS
    codes = {step + off: f"{hotp(secret, step + off):06d}" for off in STEPS_OFF}
    right = [each for each, code in codes.items() if hmac.compare_digest(code.encode(), token.encode())]
    return max(right, default=None)


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code, however it is written."""
    return password_hash(f"recovery code {code.lower().replace('-', '').replace(' ', '')}").hex()
