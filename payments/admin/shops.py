"""Shops: where a game is told to deliver, with what secrets, and where players come back to."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, OuterRef, QuerySet, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ReasonForm, TextWidget, ask, done, page_action, page_of
from lib.backoffice.formatting import badge, clipped, moment
from lib.backoffice.pages import Section, actor
from payments.admin import signing_secrets
from payments.admin.deliveries import HEADERS, delivery_row
from payments.admin.products import live_delivery_secrets, missing_for_delivery
from payments.admin.signing_secrets import KEYS, KeysAdmin
from payments.deliveries.operations import pause_deliveries, resume_deliveries
from payments.models import Delivery, Secret, Shop
from payments.models.products import validate_origin
from payments.providers.signing_secrets import add_delivery_secret, new_webhook_secret

CHANGE = "payments.change_shop"
LATEST = 10
ROTATION = (
    "The newest secret signs; while others are live, their signatures stand beside it in the header. "
    "So make a new one, hand it over, wait until the game knows it, then retire the older ones."
)


@admin.register(Shop)
class ShopAdmin(KeysAdmin):
    """A game that sells. Never deleted: orders hang on it."""

    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("game", "order_url_shown", "origins", "state")
    list_select_related = ("game",)
    search_fields = ("game__slug__iexact",)
    search_help_text = "Game"
    empty_text = (
        "Add a shop for each game that sells something: its order URL, and where players may return to."
    )
    actions = None
    fields = ("game", "order_url", "return_origins")
    actions_detail = ("make_secret", "retire", "pause", "resume")

    @admin.display(description="order URL")
    def order_url_shown(self, obj: Shop) -> SafeString:
        return clipped(obj.order_url)

    @admin.display(description="players return to")
    def origins(self, obj: Shop) -> SafeString:
        return clipped(", ".join(obj.return_origins))

    @admin.display(description="deliveries")
    def state(self, obj: Shop) -> SafeString:
        if not obj.order_url:
            return badge("no order URL")
        if not obj.is_signed:  # type: ignore[attr-defined]
            return badge("no secret", "danger")
        if obj.paused_at:
            return badge("paused", "warning")
        return badge("failing", "danger") if obj.failing_since else badge("sent", "success")

    @admin.display(description="deliveries")
    def sending(self, obj: Shop) -> SafeString:
        words = []
        if obj.paused_at:
            words.append(f"Paused since {moment(obj.paused_at)}: nothing is sent, and nothing is lost.")
        if obj.failing_since:
            words.append(f"Failing since {moment(obj.failing_since)}: see the tries of the deliveries below.")
        return format_html("{} {}", self.state(obj), " ".join(words))

    @admin.display(description="needs attention")
    def missing(self, obj: Shop) -> SafeString:
        return format_html(
            '<span class="wallet-warning">{}</span>',
            format_html_join(" ", "{}", ((line,) for line in missing_for_delivery(obj.game_id))),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        rows: QuerySet[Shop] = super().get_queryset(request)
        live = Secret.objects.filter(game=OuterRef("game"), purpose=Secret.Purpose.DELIVERY, retired_at=None)
        return rows.annotate(is_signed=Exists(live))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            # Django's default becomes this with version 6.
            kwargs["assume_scheme"] = "https"
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "return_origins" and field:
            # The form says what is wrong with an item; the model's validators would only say which one.
            field.base_field.validators.append(validate_origin)
        return field

    def get_fields(self, request: HttpRequest, obj: Shop | None = None) -> Any:
        if obj is None:
            return self.fields
        return (
            *(["missing"] if obj.order_url and missing_for_delivery(obj.game_id) else []),
            *self.fields,
            "sending",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("game", "missing", "sending") if obj else ()

    def save_model(self, request: HttpRequest, obj: Shop, form: Any, change: bool) -> None:
        if change:
            # Only what was edited: it may have been paused meanwhile.
            obj.save(update_fields=["order_url", "return_origins"])
        else:
            obj.save(force_insert=True)

    def response_post_save_add(self, request: HttpRequest, obj: Shop) -> HttpResponseRedirect:
        # Its secret is made next.
        return HttpResponseRedirect(page_of(obj))

    def live_secrets(self, id: UUID) -> QuerySet[Secret]:
        return live_delivery_secrets(Shop.objects.values_list("game_id", flat=True).get(pk=id))

    def senseless_actions(self, id: UUID) -> set[str]:
        shop = Shop.objects.filter(pk=id).first()
        if shop is None:
            return set(self.actions_detail)
        without = set() if self.live_secrets(id).exists() else {"retire"}
        return without | ({"pause"} if shop.paused_at else {"resume"})

    @page_action(title="Make a delivery secret", permission=KEYS)
    def make_secret(self, request: HttpRequest, obj: Shop) -> HttpResponse:
        if request.method == "POST":
            secret = new_webhook_secret()
            add_delivery_secret(obj.game, secret, actor=actor(request.user))
            how = "It signs deliveries at once, in both ways: sign, and webhook-signature."
            return self.show_once(
                request,
                obj,
                secret,
                whom=f"the backend of {obj.game.name}, to check what we deliver to it",
                how=how,
            )
        says = [f"A new secret that signs what {obj.game} is told to deliver. It is shown once.", ROTATION]
        return ask(
            self,
            request,
            obj,
            title="Make a delivery secret",
            says=says,
            form=None,
            button="Make it and show it",
        )

    @page_action(title="Retire a secret", permission=KEYS)
    def retire(self, request: HttpRequest, obj: Shop) -> HttpResponse:
        return self.retire_one(
            request,
            obj,
            says=[
                ROTATION,
                "A retired secret signs nothing any more. Without a live one, nothing can be sent.",
            ],
        )

    @page_action(title="Pause deliveries", permission=CHANGE)
    def pause(self, request: HttpRequest, obj: Shop) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            words = "Deliveries are paused." if pause_deliveries(obj) else "Deliveries were paused already."
            return done(self, request, obj, words, reason=form.cleaned_data["reason"])
        says = [
            f"{obj.game} is told nothing until deliveries are resumed.",
            "Players can still pay; what they pay for waits, and no try is counted.",
        ]
        return ask(
            self, request, obj, title="Pause deliveries?", says=says, form=form, button="Pause", danger=True
        )

    @page_action(title="Resume deliveries", permission=CHANGE)
    def resume(self, request: HttpRequest, obj: Shop) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            words = "Deliveries go on." if resume_deliveries(obj) else "Deliveries were not paused."
            return done(self, request, obj, words, reason=form.cleaned_data["reason"])
        says = [f"What has waited is sent to {obj.game} from now on, the oldest first."]
        return ask(self, request, obj, title="Resume deliveries?", says=says, form=form, button="Resume")

    def sections(self, request: HttpRequest, obj: Shop) -> list[Section]:
        secrets = Secret.objects.filter(game_id=obj.game_id, purpose=Secret.Purpose.DELIVERY)
        shown = [signing_secrets.section(secrets, "None: make one before the game is to deliver anything.")]
        if request.user.has_perm("payments.view_delivery"):
            latest = (
                Delivery.objects.filter(game_id=obj.game_id)
                .select_related("order__player", "game")
                .order_by("-pk")[:LATEST]
            )
            empty = "The game was never told to deliver anything."
            shown.append(Section("Latest deliveries", HEADERS, [delivery_row(row) for row in latest], empty))
        return shown
