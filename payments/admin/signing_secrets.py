"""Secrets of providers and games: entered or made here, shown once at most, and retired. No page ever says one again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from lib.backoffice.confirmation import RadioWidget, ask, done, page_of
from lib.backoffice.formatting import NOTHING, badge, clock, moment
from lib.backoffice.pages import PageAdmin, Section, actor
from payments.models import Secret
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import retire_secret

if TYPE_CHECKING:
    from django.forms import PasswordInput as PasswordWidget
else:
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordWidget

# Nobody adds a secret by a form of its own, so this permission is the one to make, enter and retire them.
KEYS = "payments.add_secret"
MOST_SHOWN = 20
HEADERS = ("For", "State", "Made (UTC)", "By", "Retired (UTC)", "Retired by")
PURPOSES = {
    Secret.Purpose.CALLBACK: "callbacks to us",
    Secret.Purpose.API: "our calls (API key)",
    Secret.Purpose.DELIVERY: "our deliveries",
}


class SecretForm(forms.Form):
    """A secret of somebody else's making. What was written is never sent back, not even when it is refused."""

    secret = forms.CharField(
        max_length=500, widget=PasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    )


class RetireForm(forms.Form):
    """Which of the live secrets ends: they have no names, so by purpose, time and maker."""

    secret = forms.ChoiceField(widget=RadioWidget, label="Which one")

    def __init__(self, live: Sequence[Secret], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.live = {str(one.pk): one for one in live}
        choices = [(str(one.pk), named(one)) for one in live]
        self.fields["secret"].choices = choices  # type: ignore[attr-defined]

    def clean_secret(self) -> Secret:
        return self.live[self.cleaned_data["secret"]]


def named(secret: Secret) -> str:
    """How operators tell secrets from each other."""
    return (
        f"{PURPOSES[Secret.Purpose(secret.purpose)]}, made {moment(secret.created_at)} by {secret.created_by}"
    )


def section(secrets: QuerySet[Secret], empty: str) -> Section:
    """When secrets were made and retired, and by whom: the live ones first, newest first."""
    found = secrets.defer("sealed", "fingerprint").order_by("-created_at", "-pk")[:MOST_SHOWN]
    rows = [row(secret) for secret in sorted(found, key=lambda secret: secret.retired_at is not None)]
    return Section("Secrets", HEADERS, rows, empty)


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


class KeysAdmin(PageAdmin):
    """What the pages of providers and shops have in common."""

    def show_once(
        self, request: HttpRequest, obj: Model, secret: str, *, whom: str, how: str
    ) -> HttpResponse:
        """The answer to the form that made the secret: the only page that ever shows it."""
        self.log_change(request, obj, "A secret was made.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": "The secret is made",
            "secret": secret,
            "whom": whom,
            "how": how,
            "back": page_of(obj),
        }
        return TemplateResponse(
            request, "admin/payments/secret_once.html", context, headers={"Cache-Control": "no-store"}
        )

    def live_secrets(self, id: UUID) -> QuerySet[Secret]:
        """The secrets of this owner that still count, newest first."""
        raise NotImplementedError

    def retire_one(self, request: HttpRequest, obj: Model, *, says: Sequence[str]) -> HttpResponse:
        """Asks which secret ends, then ends it."""
        live = list(self.live_secrets(obj.pk).defer("sealed", "fingerprint"))
        form = RetireForm(live, request.POST or None)
        if request.method == "POST" and form.is_valid():
            secret = form.cleaned_data["secret"]
            retire_secret(secret, actor=actor(request.user))
            transaction.on_commit(PROVIDERS.forget)
            return done(self, request, obj, f"The secret is retired: {named(secret)}.")
        only = ["It is the only live one."] if len(live) == 1 else []
        return ask(
            self,
            request,
            obj,
            title="Retire a secret",
            says=[*says, *only],
            form=form,
            button="Retire",
            danger=True,
        )
