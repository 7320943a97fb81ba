"""Payment providers: who they are, by which secrets they are known, and what came from them lately."""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, QuerySet, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from lib.backoffice.confirmation import TextWidget, ask, done, page_action, page_of
from lib.backoffice.formatting import badge, clipped
from lib.backoffice.pages import Section, actor
from payments.admin import signing_secrets
from payments.admin.callbacks import CALLBACK_HEADERS, REFUSED_HEADERS, callback_row, refused_row
from payments.admin.signing_secrets import KEYS, KeysAdmin, SecretForm
from payments.models import Callback, Provider, RefusedCallback, Secret
from payments.providers import adapter_for
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import (
    SecretRefused,
    add_callback_secret,
    new_webhook_secret,
    replace_api_secret,
)
from players.models import validate_network

if TYPE_CHECKING:
    ProviderModelForm = forms.ModelForm[Provider]
else:
    ProviderModelForm = forms.ModelForm

Scheme = Provider.Scheme
LATEST = 10
# Callbacks of all providers that are looked through for the latest of one: no index knows whose they are.
LOOKED_THROUGH = 1000
# Schemes whose secrets are ours to make.
OWN_MAKING = (Scheme.STANDARD_WEBHOOKS, Scheme.SANDBOX)
NEED_A_PAGE = (Scheme.STANDARD_WEBHOOKS, Scheme.ORDER_NOTIFY)
ROTATION = "All live secrets count, so nothing is lost while one is changed: enter the new one, wait until the provider signs with it, then retire the older one."
SIGNATURES = {
    Scheme.ORDER_NOTIFY: "sign, the MD5 of the fields and a secret",
    Scheme.STANDARD_WEBHOOKS: "webhook-signature (Standard Webhooks 1.0)",
    Scheme.STRIPE: "Stripe-Signature",
    Scheme.SANDBOX: "webhook-signature (Standard Webhooks 1.0)",
}


class ProviderForm(ProviderModelForm):
    """Says what does not fit before the database's constraints do."""

    class Meta:
        # The model's own has angle brackets, which a page takes for a tag.
        help_texts: ClassVar[dict[str, str]] = {
            "slug": "Its callbacks come to /pay/ and this slug. Can never be changed."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scheme" in self.fields and not settings.DEMO:
            choices = [choice for choice in self.fields["scheme"].choices if choice[0] != Scheme.SANDBOX]  # type: ignore[attr-defined]
            self.fields["scheme"].choices = choices  # type: ignore[attr-defined]

    def clean_timeout_seconds(self) -> int:
        seconds: int = self.cleaned_data["timeout_seconds"]
        if not 1 <= seconds <= 30:
            raise ValidationError("1 to 30 seconds.")
        return seconds

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        scheme = given.get("scheme") or self.instance.scheme
        if scheme == Scheme.ORDER_NOTIFY and "currency" in given and not given["currency"]:
            self.add_error(
                "currency", "Order-notify callbacks name no currency: choose the one that is paid in."
            )
        if scheme in NEED_A_PAGE and "page_url" in given and not given["page_url"]:
            self.add_error("page_url", "Players are sent to the provider's page: write its address.")
        return given


def hindrances(provider: Provider) -> list[str]:
    """Why a provider, read by the admin, is not offered at the checkout; nothing where it is."""
    live: list[str] = provider.live  # type: ignore[attr-defined]
    return [
        *([] if provider.is_active else ["it is switched off"]),
        *([] if Secret.Purpose.CALLBACK in live else ["it has no secret for its callbacks"]),
        *(
            ["it has no API key"]
            if adapter_for(provider.scheme).has_api_secret and Secret.Purpose.API not in live
            else []
        ),
        *(["it has no payment page"] if provider.scheme in NEED_A_PAGE and not provider.page_url else []),
        *(
            ["the sandbox is there only where DEMO is on"]
            if provider.scheme == Scheme.SANDBOX and not settings.DEMO
            else []
        ),
    ]


@admin.register(Provider)
class ProviderAdmin(KeysAdmin):
    """A provider is added, changed and switched off, never deleted: payments name it. Its secrets are only ever written."""

    form = ProviderForm
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("slug", "name", "scheme", "currency_shown", "calls_from", "state_short")
    search_fields = ("slug__iexact", "name__icontains")
    search_help_text = "Slug or name"
    empty_text = "Add a provider first, then enter the secret that it signs its callbacks with."
    actions = None
    fieldsets = (
        (None, {"fields": ("slug", "name", "scheme", "is_active")}),
        ("Paying", {"fields": ("currency", "page_url", "is_live", "timeout_seconds")}),
        ("Callbacks", {"fields": ("allowed_networks",)}),
    )
    actions_detail = ("enter_secret", "make_secret", "enter_api_key", "retire")

    @admin.display(description="paid in")
    def currency_shown(self, obj: Provider) -> str:
        return obj.currency_id or "every currency"

    @admin.display(description="calls from")
    def calls_from(self, obj: Provider) -> SafeString:
        return clipped(", ".join(obj.allowed_networks) or "everywhere")

    @admin.display(description="at the checkout")
    def state(self, obj: Provider) -> SafeString:
        why = hindrances(obj)
        if not why:
            return badge("offered", "success")
        return format_html(
            '{} <span class="wallet-warning">{}.</span>',
            badge("not offered", "warning"),
            "; ".join(why).capitalize(),
        )

    @admin.display(description="at the checkout")
    def state_short(self, obj: Provider) -> SafeString:
        return badge("not offered", "warning") if hindrances(obj) else badge("offered", "success")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        rows: QuerySet[Provider] = super().get_queryset(request)
        live = (
            Secret.objects.filter(provider=OuterRef("pk"), retired_at=None)
            .order_by("purpose")
            .values("purpose")
            .distinct()
        )
        return rows.annotate(live=ArraySubquery(live))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            # Django's default becomes this with version 6.
            kwargs["assume_scheme"] = "https"
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "allowed_networks" and field:
            # The form says what is wrong with an item; the model's validators would only say which one.
            field.base_field.validators.append(validate_network)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Provider | None = None) -> Any:
        (first, named), *others = super().get_fieldsets(request, obj)
        return [(first, {**named, "fields": (*named["fields"], "state")} if obj else named), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # Its callbacks come by the slug, and its history was spoken in the scheme. Order-notify names no currency: its orders would be paid in another one.
        return ("slug", "scheme", "state", *(["currency"] if obj.scheme == Scheme.ORDER_NOTIFY else []))

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(PROVIDERS.forget)

    def response_post_save_add(self, request: HttpRequest, obj: Provider) -> HttpResponseRedirect:
        # Its secret is entered next.
        return HttpResponseRedirect(page_of(obj))

    def live_secrets(self, id: UUID) -> QuerySet[Secret]:
        return Secret.objects.filter(provider_id=id, retired_at=None).order_by("-created_at", "-pk")

    def senseless_actions(self, id: UUID) -> set[str]:
        scheme = Provider.objects.filter(pk=id).values_list("scheme", flat=True).first()
        if scheme is None:
            return set(self.actions_detail)
        without = set() if self.live_secrets(id).exists() else {"retire"}
        without |= set() if adapter_for(scheme).has_api_secret else {"enter_api_key"}
        return without | (set() if scheme in OWN_MAKING else {"make_secret"})

    @page_action(title="Enter a secret", permission=KEYS)
    @method_decorator(sensitive_post_parameters("secret"))
    def enter_secret(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        form = SecretForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self.kept(request, obj, form, is_api=False):
            return done(
                self,
                request,
                obj,
                "One more secret for callbacks is entered; it counts within a few seconds.",
            )
        says = [
            f"What {obj.name} signs its callbacks with, as the provider gave it to you. It is never shown again.",
            ROTATION,
        ]
        return ask(
            self, request, obj, title="Enter a secret for callbacks", says=says, form=form, button="Enter it"
        )

    @page_action(title="Enter the API key", permission=KEYS)
    @method_decorator(sensitive_post_parameters("secret"))
    def enter_api_key(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        form = SecretForm(request.POST or None)
        form.fields["secret"].label = "API key"
        if request.method == "POST" and form.is_valid() and self.kept(request, obj, form, is_api=True):
            return done(
                self, request, obj, "The API key is entered; the one before, if there was one, is retired."
            )
        says = [
            f"What we call {obj.name} with. It is never shown again.",
            "There is one at a time: the one before is retired with it.",
        ]
        return ask(self, request, obj, title="Enter the API key", says=says, form=form, button="Enter it")

    def kept(self, request: HttpRequest, provider: Provider, form: SecretForm, *, is_api: bool) -> bool:
        """Keeps what was written; where it is refused the form says why, without the secret."""
        keep = replace_api_secret if is_api else add_callback_secret
        try:
            keep(provider, form.cleaned_data["secret"], actor=actor(request.user))
        except SecretRefused as problem:
            form.add_error("secret", str(problem))
            return False
        transaction.on_commit(PROVIDERS.forget)
        return True

    @page_action(title="Make a secret", permission=KEYS)
    def make_secret(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        if obj.scheme not in OWN_MAKING:
            messages.warning(
                request,
                "Nothing was done. Secrets of this scheme are the provider's to make: enter the one that you were given.",
            )
            return HttpResponseRedirect(page_of(obj))
        if request.method == "POST":
            secret = new_webhook_secret()
            add_callback_secret(obj, secret, actor=actor(request.user))
            transaction.on_commit(PROVIDERS.forget)
            how = "Callbacks that are signed with it count within a few seconds."
            return self.show_once(
                request, obj, secret, whom=f"{obj.name}, to sign its callbacks to us", how=how
            )
        says = [f"A new secret for {obj.name} to sign its callbacks with. It is shown once.", ROTATION]
        return ask(
            self,
            request,
            obj,
            title="Make a secret for callbacks",
            says=says,
            form=None,
            button="Make it and show it",
        )

    @page_action(title="Retire a secret", permission=KEYS)
    def retire(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        return self.retire_one(
            request,
            obj,
            says=[ROTATION, "What is signed with a retired secret is refused (401) within a few seconds."],
        )

    def sections(self, request: HttpRequest, obj: Provider) -> list[Section]:
        base = settings.PUBLIC_URL or request.build_absolute_uri("/")
        place = (
            format_html('<span class="wallet-id wallet-words">{}</span>', urljoin(base, f"/pay/{obj.slug}")),
            SIGNATURES[Scheme(obj.scheme)],
        )
        shown = [
            Section("Where its callbacks come to", ("Address (POST)", "Signed by"), [place], ""),
            signing_secrets.section(
                Secret.objects.filter(provider=obj),
                "None: no callback of this provider can be right until one is entered.",
            ),
        ]
        if request.user.has_perm("payments.view_callback"):
            shown.append(latest_callbacks(obj))
        if request.user.has_perm("payments.view_refusedcallback"):
            shown.append(latest_refused(obj))
        return shown


def latest_callbacks(provider: Provider) -> Section:
    newest = Callback.objects.order_by("-pk").values("pk")[:LOOKED_THROUGH]
    found = (
        Callback.objects.filter(provider=provider, pk__in=newest)
        .defer("headers", "body")
        .order_by("-pk")[:LATEST]
    )
    empty = f"None among the latest {LOOKED_THROUGH:,} callbacks of all providers."
    return Section("Latest callbacks", CALLBACK_HEADERS, [callback_row(row) for row in found], empty)


def latest_refused(provider: Provider) -> Section:
    found = (
        RefusedCallback.objects.filter(provider=provider).defer("headers", "body").order_by("-pk")[:LATEST]
    )
    return Section(
        "Latest refused callbacks",
        REFUSED_HEADERS,
        [refused_row(row) for row in found],
        "None was refused lately.",
    )
