"""Payment providers: their settings, their secrets, and their latest callbacks."""

from typing import Any, ClassVar
from urllib.parse import urljoin
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Refused
from lib.backoffice.formatting import badge, clipped, moment
from lib.backoffice.forms import TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.pages import Section
from payments.admin import signing_secrets
from payments.admin.callbacks import CALLBACK_HEADERS, callback_row
from payments.admin.refused_callbacks import NONE_REFUSED, section_of
from payments.admin.signing_secrets import EnterSecret, MakeSecret, RetireSecret
from payments.admin.verification import VerifyOfProvider
from payments.approvals.endpoints import PROVIDER_CHANGE
from payments.callbacks.refusals import Trouble, kept_since, refused_since, troubles
from payments.callbacks.rejected import KEPT_DAYS
from payments.callbacks.reverification import unverified
from payments.models import Callback, Provider, RefusedCallback, Secret
from payments.providers.adapters import adapter_for
from payments.providers.registry import PROVIDERS, deactivate_provider
from payments.providers.signing_secrets import require_api_secret, require_callback_secret
from players.admin.games import ENDPOINTS
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from players.admin.switches import Deactivate, Reactivate, pointless_switch, show_activity, without_switch
from players.models import validate_network

Scheme = Provider.Scheme
LATEST = 10
# Callbacks of all providers that are looked through for the latest of one: no index knows whose they are.
LOOKED_THROUGH = 1000
# Schemes whose secrets are ours to make.
OWN_MAKING = (Scheme.STANDARD_WEBHOOKS, Scheme.SANDBOX)
NEED_A_PAGE = (Scheme.STANDARD_WEBHOOKS, Scheme.ORDER_NOTIFY)
ROTATION = _(
    "All live secrets are valid, so no callback is lost during a rotation: enter the new secret, "
    "wait until the provider signs with it, then retire the old one."
)
SIGNATURES = {
    Scheme.ORDER_NOTIFY: _("sign: MD5 of the fields and a secret"),
    Scheme.STANDARD_WEBHOOKS: _("webhook-signature (Standard Webhooks 1.0)"),
    Scheme.STRIPE: "Stripe-Signature",
    Scheme.SANDBOX: _("webhook-signature (Standard Webhooks 1.0)"),
}


class ProviderForm(GuardedForm):
    """Reports mistakes before the database's constraints do."""

    kind = PROVIDER_CHANGE

    class Meta:
        # The model's own has angle brackets, which a page takes for a tag.
        help_texts: ClassVar[dict[str, str]] = {
            "slug": _(
                "Its callbacks are received at /pay/ followed by this slug. It cannot be changed later."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scheme" in self.fields and not settings.DEMO:
            choices = [choice for choice in self.fields["scheme"].choices if choice[0] != Scheme.SANDBOX]  # type: ignore[attr-defined]
            self.fields["scheme"].choices = choices  # type: ignore[attr-defined]

    def clean_timeout_seconds(self) -> int:
        seconds: int = self.cleaned_data["timeout_seconds"]
        if not 1 <= seconds <= 30:
            raise ValidationError(_("Enter 1 to 30 seconds."))
        return seconds

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        scheme = given.get("scheme") or self.instance.scheme
        if scheme == Scheme.ORDER_NOTIFY and "currency" in given and not given["currency"]:
            self.add_error(
                "currency", _("Order-notify callbacks name no currency: choose the currency of its payments.")
            )
        if scheme in NEED_A_PAGE and "page_url" in given and not given["page_url"]:
            self.add_error(
                "page_url", _("Players are sent to the provider's payment page: enter its address.")
            )
        return given


def hindrances(provider: Provider) -> list[str]:
    """The reasons for which a provider is not offered at the checkout; none if it is offered."""
    live: list[str] = provider.live  # type: ignore[attr-defined]
    return [
        *([] if provider.is_active else [_("it is inactive")]),
        *([] if Secret.Purpose.CALLBACK in live else [_("it has no secret for its callbacks")]),
        *(
            [_("it has no API key")]
            if adapter_for(provider.scheme).has_api_secret and Secret.Purpose.API not in live
            else []
        ),
        *([_("it has no payment page")] if provider.scheme in NEED_A_PAGE and not provider.page_url else []),
        *(
            [_("the sandbox is available only if DEMO is on")]
            if provider.scheme == Scheme.SANDBOX and not settings.DEMO
            else []
        ),
    ]


def live_secrets(owner: Provider | UUID) -> QuerySet[Secret]:
    """The secrets of a provider that are still valid, newest first."""
    return Secret.objects.filter(provider=owner, retired_at=None).order_by("-created_at", "-pk")


class MakeCallbackSecret(MakeSecret):
    """Only for schemes whose secrets are ours to make."""

    def form_for(self, row: Provider, data: QueryDict | None) -> forms.Form:
        if row.scheme not in OWN_MAKING:
            raise Refused(
                _("With this scheme the provider makes the secrets: enter the one that was issued to you.")
            )
        return super().form_for(row, data)


class EnterApiKey(EnterSecret):
    """The form calls it by its name."""

    def form_for(self, row: Provider, data: QueryDict | None) -> forms.Form:
        form = super().form_for(row, data)
        form.fields["secret"].label = _("API key")
        return form


@admin.register(Provider)
class ProviderAdmin(GuardedAdmin):
    """A provider is added, changed and deactivated, never deleted: payments name it."""

    form = ProviderForm
    head_columns = HeadColumns(
        ["activity", "state_short"], ["checkout", "callbacks_state"], ["scheme", "currency_shown"]
    )
    add_permission = change_permission = ENDPOINTS
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("slug", "name", "scheme", "currency_shown", "calls_from", "state_short")
    search_fields = ("slug__iexact", "name__icontains")
    search_help_text = _("Slug or name")
    empty_text = _("Add a provider first, then the secret that it signs its callbacks with.")
    actions = None
    fieldsets = (
        (None, {"fields": ("slug", "name", "scheme", "is_active")}),
        (_("Payments"), {"fields": ("currency", "page_url", "is_live", "timeout_seconds")}),
        (_("Callbacks"), {"fields": ("allowed_networks",)}),
    )
    item_validators: ClassVar[dict[str, Any]] = {"allowed_networks": validate_network}
    actions_detail = (
        *("verify_refused", "enter_secret", "make_secret", "enter_api_key", "retire"),
        *("deactivate", "reactivate"),
    )
    verify_refused = VerifyOfProvider()
    enter_secret = EnterSecret(
        _("Enter a secret"),
        "callback",
        require_callback_secret,
        _(
            "The secret that the provider signs its callbacks with, as it was issued. "
            "It is never shown again."
        ),
        ROTATION,
    )
    make_secret = MakeCallbackSecret(
        _("Make a secret"),
        "callback",
        _("A new secret for the provider to sign its callbacks with. It is shown once."),
        ROTATION,
    )
    enter_api_key = EnterApiKey(
        _("Enter the API key"),
        "api",
        require_api_secret,
        _("The key that the platform calls the provider with. It is never shown again."),
        _("There is one key at a time."),
    )
    retire = RetireSecret(
        live_secrets,
        ROTATION,
        _("Callbacks that are signed with a retired secret are refused (401) within a few seconds."),
    )

    deactivate = Deactivate(
        ENDPOINTS,
        deactivate_provider,
        _("Players are not offered it any more, within a few seconds."),
        _("Its callbacks are taken all the same: what was paid before is credited, and refunds go on."),
    )
    reactivate = Reactivate(PROVIDER_CHANGE)

    currency_shown = columns.text(_("currency"), "currency_id", empty=_("any currency"))
    calls_from = columns.text(
        _("allowed from"), lambda row: clipped(", ".join(row.allowed_networks) or _("any address"))
    )

    @admin.display(description=_("at the checkout"))
    def checkout(self, obj: Provider) -> SafeString | str:
        why = hindrances(obj)
        if not why:
            return _("Players can choose it at the checkout.")
        return format_html(
            '<span class="wallet-warning">{}</span>',
            _("Players are not offered it: {reasons}.").format(reasons="; ".join(map(str, why))),
        )

    activity = columns.text(_("state"), show_activity)
    callbacks_state = columns.text(_("callbacks"), "callbacks_said")

    state_short = columns.text(
        _("at the checkout"),
        lambda row: badge(_("not offered"), "warning") if hindrances(row) else badge(_("offered"), "success"),
    )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Provider | None:
        # A field of the page is asked for several times.
        provider: Any = super().get_object(request, object_id, from_field)
        if provider:
            provider.callbacks_said = callbacks_state(provider)
        return provider  # type: ignore[no-any-return]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        rows: QuerySet[Provider] = super().get_queryset(request)
        live = (
            Secret.objects.filter(provider=OuterRef("pk"), retired_at=None)
            .order_by("purpose")
            .values("purpose")
            .distinct()
        )
        return rows.annotate(live=ArraySubquery(live))

    def get_fieldsets(self, request: HttpRequest, obj: Provider | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return without_switch(fieldsets) if obj else fieldsets

    def title_of(self, row: Provider) -> str:
        return row.name

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # Callbacks are received by the slug, and the history is in the scheme.
        # Order-notify names no currency: its open orders would be paid in another one.
        final = ["currency"] if obj.scheme == Scheme.ORDER_NOTIFY else []
        return ("slug", "scheme", *final)

    def forget(self) -> None:
        transaction.on_commit(PROVIDERS.forget)

    def pointless_actions(self, id: UUID) -> set[str]:
        scheme = Provider.objects.filter(pk=id).values_list("scheme", flat=True).first()
        if scheme is None:
            return set(self.actions_detail)
        without = set() if live_secrets(id).exists() else {"retire"}
        refused = unverified(RefusedCallback.objects.filter(provider=id))
        without |= set() if refused.exists() else {"verify_refused"}
        without |= pointless_switch(Provider, id)
        without |= set() if adapter_for(scheme).has_api_secret else {"enter_api_key"}
        return without | (set() if scheme in OWN_MAKING else {"make_secret"})

    def sections(self, request: HttpRequest, obj: Provider) -> list[Section]:
        base = settings.PUBLIC_URL or request.build_absolute_uri("/")
        place = (
            format_html('<span class="wallet-id wallet-words">{}</span>', urljoin(base, f"/pay/{obj.slug}")),
            SIGNATURES[Scheme(obj.scheme)],
        )
        return [
            Section(Provider, _("Callback URL"), (_("Address (POST)"), _("Signature")), [place], ""),
            signing_secrets.section(
                Provider,
                Secret.objects.filter(provider=obj),
                _("None: every callback of this provider is refused until a secret is entered."),
            ),
            latest_callbacks(obj),
            latest_refused(obj),
        ]


def latest_callbacks(provider: Provider) -> Section:
    """Those that were taken in, as far as they are among the latest of all providers."""
    newest = Callback.objects.order_by("-pk").values("pk")[:LOOKED_THROUGH]
    found = (
        Callback.objects.filter(provider=provider, pk__in=newest)
        .defer("headers", "body")
        .order_by("-pk")[:LATEST]
    )
    empty = _("None among the latest {number} callbacks of all providers.").format(
        number=f"{LOOKED_THROUGH:,}"
    )
    theirs = {"outcome": "all", "provider": str(provider.pk)}
    more = (_("All of them"), reverse("admin:payments_callback_changelist", query=theirs))
    rows = [callback_row(row) for row in found]
    return Section(Callback, _("Latest callbacks"), CALLBACK_HEADERS, rows, empty, more)


def latest_refused(provider: Provider) -> Section:
    rows = RefusedCallback.objects.filter(provider=provider)
    return section_of(rows, _("Refused callbacks"), NONE_REFUSED, provider.slug)


def callbacks_state(provider: Provider) -> SafeString:
    """Whether its callbacks are refused, in a word and a sentence."""
    trouble = next(iter(troubles(provider.slug)), None)
    if trouble is None:
        times = sum(one.times for one in refused_since(kept_since(), [provider.pk]))
        said = few_refused(times) if times else _("None is refused.")
        return format_html("{} {}", badge(_("accepted"), "success"), said)
    said = trouble_words(trouble)
    return format_html('{} <span class="wallet-warning">{}</span>', badge(_("refused"), "danger"), said)


def trouble_words(trouble: Trouble) -> str:
    """What is refused, and what waits for that, in a sentence."""
    words = ngettext_lazy(
        "{times} were refused in the last {days} days; {kept} are kept, not verified, "
        "and name {orders} order that started there. Alert since {since}.",
        "{times} were refused in the last {days} days; {kept} are kept, not verified, "
        "and name {orders} orders that started there. Alert since {since}.",
        trouble.orders,
    )
    return words.format(
        times=f"{trouble.times:,}",
        days=KEPT_DAYS,
        kept=f"{trouble.kept:,}",
        orders=f"{trouble.orders:,}",
        since=moment(trouble.since),
    )


def few_refused(times: int) -> str:
    words = ngettext_lazy(
        "{times} was refused in the last {days} days, no more than a small share.",
        "{times} were refused in the last {days} days, no more than a small share.",
        times,
    )
    return words.format(times=f"{times:,}", days=KEPT_DAYS)
