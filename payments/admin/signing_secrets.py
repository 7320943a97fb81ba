"""Secrets of providers, games and event receivers: entered or made here, shown once at most, and retired."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, ShownOnce
from lib.backoffice.formatting import NOTHING, badge, clock, moment, mono
from lib.backoffice.forms import PasswordWidget, RadioWidget
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from payments.approvals.secrets import ADD_SECRET, RETIRE_SECRET, NewSecretPayload, RetirementPayload
from payments.models import Secret
from payments.providers.signing_secrets import (
    SecretRefused,
    fingerprint_of,
    new_webhook_secret,
    shown_fingerprint,
)
from players.admin.approved_action import (
    ApprovedAction,
    EffectPage,
    RequestForm,
    TwoStepRequestForm,
    told,
)
from players.models import Approval

KEYS = "payments.manage_secrets"
MOST_SHOWN = 20
HEADERS = (
    *(_("Fingerprint"), _("Used for"), _("State"), _("Added (UTC)"), _("Added by"), _("Last used (UTC)")),
    *(_("Retired (UTC)"), _("Retired by")),
)
PURPOSES = {
    Secret.Purpose.CALLBACK: _("signing callbacks to us"),
    Secret.Purpose.API: _("our API calls (API key)"),
    Secret.Purpose.DELIVERY: _("signing deliveries"),
    Secret.Purpose.EVENTS: _("signing events"),
}


class SecretForm(RequestForm):
    """A secret made by somebody else. It is never sent back, not even if it is refused."""

    secret = forms.CharField(
        max_length=500,
        label=_("Secret"),
        widget=PasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False),
    )
    field_order = ("secret", "reason")


class RetireForm(TwoStepRequestForm):
    """The live secret that ends. Secrets have no names, so by purpose, time and maker."""

    secret = forms.ChoiceField(widget=RadioWidget, label=_("Secret"))

    def __init__(self, live: Sequence[Secret], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.live = {str(one.pk): one for one in live}
        choices = [(str(one.pk), named(one)) for one in live]
        self.fields["secret"].choices = choices  # type: ignore[attr-defined]
        self.order_fields(["secret", "reason"])

    def clean_secret(self) -> Secret:
        return self.live[self.cleaned_data["secret"]]


def named(secret: Secret) -> str:
    """How operators tell secrets from each other."""
    purpose, digits = PURPOSES[Secret.Purpose(secret.purpose)], shown_fingerprint(secret.fingerprint)
    words = _("{fingerprint}, {purpose}, created {at} by {operator}")
    at, operator = moment(secret.created_at), secret.created_by
    return words.format(fingerprint=digits, purpose=purpose, at=at, operator=operator)


def section(of: type[Model], secrets: QuerySet[Secret], empty: str) -> Section:
    """When secrets were made and retired, and by whom: the live ones first, newest first."""
    found = secrets.defer("sealed").order_by("-created_at", "-pk")[:MOST_SHOWN]
    rows = [row(secret) for secret in sorted(found, key=lambda secret: secret.retired_at is not None)]
    return Section(of, _("Secrets"), HEADERS, rows, empty)


def row(secret: Secret) -> tuple[Any, ...]:
    """A secret by `HEADERS`, without anything of what it says."""
    state = badge(_("retired")) if secret.retired_at else badge(_("live"), "success")
    return (
        mono(shown_fingerprint(secret.fingerprint)),
        PURPOSES[Secret.Purpose(secret.purpose)],
        state,
        clock(secret.created_at),
        secret.created_by,
        last_use(secret),
        clock(secret.retired_at),
        secret.retired_by or NOTHING,
    )


def last_use(secret: Secret) -> object:
    """When a callback was last verified with it; of other secrets nobody keeps that."""
    if secret.purpose != Secret.Purpose.CALLBACK:
        return NOTHING
    return clock(secret.last_used_at) if secret.last_used_at else _("not yet")


class RequestSecret(ApprovedAction[Any]):
    """Requests a new secret. The page says its effect before the secret is there, so without fingerprint."""

    permission, kind = KEYS, ADD_SECRET
    purpose: ClassVar[Literal["callback", "api", "delivery", "events"]]

    def owner_id(self, row: Any) -> UUID:
        """The provider, the receiver, or the game."""
        owner: UUID = row.pk
        return owner

    def payload(self, row: Any, given: dict[str, Any]) -> NewSecretPayload:
        return NewSecretPayload(self.owner_id(row), self.purpose, given.get("fingerprint", ""))

    def request(self, act: Act[Any], secret: str) -> Approval:
        """Requests this secret, if the page still says what it said. Raises `ValidationError`."""
        with transaction.atomic():
            if self.kind.preview(self.payload(act.row, {})).digest != act.given["digest"]:
                raise ValidationError(_("Something has changed since: look at the effect again."))
            given = {**act.given, "fingerprint": shown_fingerprint(fingerprint_of(secret))}
            seen = self.kind.preview(self.payload(act.row, given)).digest
            return self.requested(replace(act, given={**given, "digest": seen}), secret)


class EnterSecret(RequestSecret):
    """Requests a secret that somebody else has made; `check` refuses what cannot be one."""

    form, sensitive = SecretForm, ("secret",)

    def __init__(
        self, title: str, purpose: Literal["callback", "api"], check: Callable[[Any, str], None], *says: str
    ) -> None:
        self.title, self.purpose, self.check, self.says = title, purpose, check, says  # type: ignore[misc]

    def effect_page(self, row: Any, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, title=self.title, says=[*self.says, *page.says])

    def do(self, act: Act[Any]) -> str:
        try:
            self.check(act.row, act.given["secret"])
        except SecretRefused as problem:
            raise ValidationError({"secret": problem.args[0]}) from problem
        return told(self.request(act, act.given["secret"]))


class MakeSecret(RequestSecret):
    """Requests a secret of our making, which is shown once, now, and counts once it is approved."""

    def __init__(self, title: str, purpose: Literal["callback", "delivery", "events"], *says: str) -> None:
        self.title, self.purpose, self.says = title, purpose, says  # type: ignore[misc]

    def effect_page(self, row: Any, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, title=self.title, says=[*self.says, *page.says])

    def do(self, act: Act[Any]) -> ShownOnce:
        secret = new_webhook_secret()
        return secret_once(secret, told(self.request(act, secret)), back=act.row)


class RetireSecret(ApprovedAction[Any]):
    """Requests the end of one of the live secrets that `live` finds; `effects` say what follows."""

    title, permission, kind, danger = _("Retire a secret"), KEYS, RETIRE_SECRET, True

    def __init__(self, live: Callable[[Any], QuerySet[Secret]], *effects: str) -> None:
        self.live, self.effects = live, effects

    def form_for(self, row: Any, data: QueryDict | None) -> RetireForm:
        return RetireForm(list(self.live(row).defer("sealed")), data)

    def page(self, row: Any) -> Page:
        return Page(_("Retire a secret"), self.effects, _("Continue"))

    def payload(self, row: Any, given: dict[str, Any]) -> RetirementPayload:
        return RetirementPayload(given["secret"].pk)


def secret_once(secret: str, told: str, *, back: Model) -> ShownOnce:
    """The page that shows a new secret, which is requested only."""
    return ShownOnce(
        words=_("A secret was made, and its use requested."),
        title=_("The secret is made and requested"),
        heading=_("Copy the secret now: it is shown only once"),
        before=told,
        values=[(_("Secret"), secret, "secret"), (_("For"), str(back), "")],
        after=_("It counts as soon as a second person has approved it. If it is lost, withdraw the request."),
        back=back,
    )
