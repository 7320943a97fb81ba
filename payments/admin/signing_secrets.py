"""Secrets of providers and games: entered or made here, shown once at most, and retired."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction, ShownOnce
from lib.backoffice.formatting import NOTHING, badge, clock, moment
from lib.backoffice.forms import PasswordWidget, RadioWidget
from lib.backoffice.pages import Section
from payments.models import Secret
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import retire_secret

KEYS = "payments.manage_secrets"
MOST_SHOWN = 20
HEADERS = ("Used for", "State", "Created (UTC)", "Created by", "Retired (UTC)", "Retired by")
PURPOSES = {
    Secret.Purpose.CALLBACK: "signing callbacks to us",
    Secret.Purpose.API: "our API calls (API key)",
    Secret.Purpose.DELIVERY: "signing deliveries",
}


class SecretForm(forms.Form):
    """A secret made by somebody else. It is never sent back, not even if it is refused."""

    secret = forms.CharField(
        max_length=500, widget=PasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    )


class RetireForm(forms.Form):
    """The live secret that ends. Secrets have no names, so by purpose, time and maker."""

    secret = forms.ChoiceField(widget=RadioWidget, label="Secret")

    def __init__(self, live: Sequence[Secret], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.live = {str(one.pk): one for one in live}
        choices = [(str(one.pk), named(one)) for one in live]
        self.fields["secret"].choices = choices  # type: ignore[attr-defined]

    def clean_secret(self) -> Secret:
        return self.live[self.cleaned_data["secret"]]


def named(secret: Secret) -> str:
    """How operators tell secrets from each other."""
    purpose = PURPOSES[Secret.Purpose(secret.purpose)]
    return f"{purpose}, created {moment(secret.created_at)} by {secret.created_by}"


def section(of: type[Model], secrets: QuerySet[Secret], empty: str) -> Section:
    """When secrets were made and retired, and by whom: the live ones first, newest first."""
    found = secrets.defer("sealed", "fingerprint").order_by("-created_at", "-pk")[:MOST_SHOWN]
    rows = [row(secret) for secret in sorted(found, key=lambda secret: secret.retired_at is not None)]
    return Section(of, "Secrets", HEADERS, rows, empty)


def row(secret: Secret) -> tuple[Any, ...]:
    """A secret by `HEADERS`, without anything of what it says."""
    state = badge("retired") if secret.retired_at else badge("live", "success")
    return (
        PURPOSES[Secret.Purpose(secret.purpose)],
        state,
        clock(secret.created_at),
        secret.created_by,
        clock(secret.retired_at),
        secret.retired_by or NOTHING,
    )


def recorded(secrets: QuerySet[Secret]) -> list[str]:
    """Secrets as acts record them: purpose, the beginning of the fingerprint, live or retired."""
    rows = secrets.defer("sealed").order_by("created_at", "pk")
    return [
        f"{one.purpose} {bytes(one.fingerprint)[:4].hex()} {'retired' if one.retired_at else 'live'}"
        for one in rows
    ]


class RetireSecret(PageAction[Any]):
    """Ends one of the live secrets that `live` finds; `effects` say what follows."""

    title, permission = "Retire a secret", KEYS

    def __init__(self, live: Callable[[Any], QuerySet[Secret]], *effects: str) -> None:
        self.live, self.effects = live, effects

    def found(self, row: Any) -> list[Secret]:
        return list(self.live(row).defer("sealed", "fingerprint"))

    def form_for(self, row: Any, data: QueryDict | None) -> RetireForm:
        return RetireForm(self.found(row), data)

    def page(self, row: Any) -> Page:
        only = ["It is the only live secret."] if len(self.found(row)) == 1 else []
        return Page("Retire a secret", [*self.effects, *only], "Retire", danger=True)

    def do(self, act: Act[Any]) -> str:
        secret = act.given["secret"]
        retire_secret(secret, actor=act.actor)
        transaction.on_commit(PROVIDERS.forget)
        return f"The secret is retired: {named(secret)}."


def secret_once(secret: str, *, whom: str, how: str, back: Model) -> ShownOnce:
    """The page that shows a new secret: for whom it is, and how it is used."""
    return ShownOnce(
        words="A secret was made.",
        title="The secret is made",
        heading="Copy the secret now: it is shown only once",
        before="It is stored encrypted and not shown again. If it is lost, make another and retire this one.",
        values=[("Secret", secret, "secret"), ("For", whom, "")],
        after=how,
        back=back,
    )
