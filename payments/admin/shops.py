"""Shops: a game's order URL, its delivery secrets, and the origins that players may return to."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import badge, clipped, moment
from lib.backoffice.forms import TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from payments.admin import signing_secrets
from payments.admin.deliveries import HEADERS, delivery_row
from payments.admin.products import live_delivery_secrets, missing_for_delivery
from payments.admin.signing_secrets import MakeSecret, RetireSecret
from payments.approvals.endpoints import SHOP_CHANGE
from payments.deliveries.operations import pause_deliveries, resume_deliveries
from payments.models import Delivery, Secret, Shop
from payments.models.products import validate_origin
from players.admin.guarded_forms import GuardedAdmin, GuardedForm

PAUSE = "payments.pause_deliveries"
LATEST = 10
ROTATION = _(
    "The newest secret signs; the signatures of other live secrets are sent beside it. "
    "To rotate, make a new secret, hand it over, wait until the game accepts it, then retire the old ones."
)


class MakeDeliverySecret(MakeSecret):
    """The secret is the game's, whose shop this is."""

    def owner_id(self, row: Shop) -> UUID:
        return row.game_id


class Pause(PageAction[Shop]):
    """Nothing is sent to the game, and nothing is lost."""

    title, permission = _("Pause deliveries"), PAUSE

    def name_to_type(self, row: Shop) -> str:
        return str(row.game)

    def page(self, row: Shop) -> Page:
        says = [
            _("Nothing is sent to {game} until deliveries are resumed.").format(game=row.game),
            _("Players can still pay. Paid orders wait, and no attempt is counted."),
        ]
        return Page(_("Pause deliveries?"), says, _("Pause"), danger=True)

    def do(self, act: Act[Shop]) -> str:
        return (
            _("Deliveries are paused.") if pause_deliveries(act.row) else _("Deliveries were paused already.")
        )


class Resume(PageAction[Shop]):
    """Deliveries that waited are sent."""

    title, permission = _("Resume deliveries"), PAUSE

    def page(self, row: Shop) -> Page:
        words = _("Waiting deliveries are sent to {game} from now on, the oldest first.")
        says = [words.format(game=row.game)]
        return Page(_("Resume deliveries?"), says, _("Resume"))

    def do(self, act: Act[Shop]) -> str:
        return (
            _("Deliveries are resumed.") if resume_deliveries(act.row) else _("Deliveries were not paused.")
        )


class ShopForm(GuardedForm):
    kind = SHOP_CHANGE


@admin.register(Shop)
class ShopAdmin(GuardedAdmin):
    """A game that sells. Never deleted: orders depend on it."""

    form = ShopForm
    head_columns = HeadColumns(["state"], ["missing", "sending"], ["game_link"])
    add_permission = change_permission = "players.change_endpoints"
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("game", "order_url_shown", "origins", "state")
    list_select_related = ("game",)
    search_fields = ("game__slug__iexact",)
    search_help_text = _("Game")
    empty_text = _(
        "Add a shop for each game that sells: its order URL, and the origins that players may return to."
    )
    actions = None
    fields = ("game", "order_url", "return_origins")
    item_validators: ClassVar[dict[str, Any]] = {"return_origins": validate_origin}
    actions_detail = ("make_secret", "retire", "pause", "resume")
    make_secret = MakeDeliverySecret(
        _("Make a delivery secret"),
        "delivery",
        _("A new secret that signs deliveries to the game. It is shown once."),
        ROTATION,
    )
    pause, resume = Pause(), Resume()
    retire = RetireSecret(
        lambda shop: live_delivery_secrets(shop.game_id),
        ROTATION,
        _("A retired secret signs nothing any more. Without a live secret, nothing can be sent."),
    )

    order_url_shown = columns.clipped(_("order URL"), "order_url")
    origins = columns.text(_("return origins"), lambda row: clipped(", ".join(row.return_origins)))

    @admin.display(description=_("deliveries"))
    def state(self, obj: Shop) -> SafeString:
        if not obj.order_url:
            return badge(_("no order URL"))
        if not obj.is_signed:  # type: ignore[attr-defined]
            return badge(_("no secret"), "danger")
        if obj.paused_at:
            return badge(_("paused"), "warning")
        return badge(_("failing"), "danger") if obj.failing_since else badge(_("active"), "success")

    game_link = columns.link(_("game"), "players_game_change", "game_id", "game.slug")

    @admin.display(description=_("deliveries"))
    def sending(self, obj: Shop) -> str:
        words = []
        if obj.paused_at:
            paused = _("Paused since {at}: deliveries wait until they are resumed.")
            words.append(paused.format(at=moment(obj.paused_at)))
        if obj.failing_since:
            failing = _("Failing since {at}: see the attempts of the deliveries below.")
            words.append(failing.format(at=moment(obj.failing_since)))
        return " ".join(words) or _("Paid orders are told to the game at once.")

    @admin.display(description=_("needs attention"))
    def missing(self, obj: Shop) -> SafeString | str:
        if not obj.order_url or not missing_for_delivery(obj.game_id):
            return ""
        return format_html(
            '<span class="wallet-warning">{}</span>',
            format_html_join(" ", "{}", ((line,) for line in missing_for_delivery(obj.game_id))),
        )

    def title_of(self, row: Shop) -> str:
        return _("Shop of {game}").format(game=row.game.slug)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        rows: QuerySet[Shop] = super().get_queryset(request)
        live = Secret.objects.filter(game=OuterRef("game"), purpose=Secret.Purpose.DELIVERY, retired_at=None)
        return rows.annotate(is_signed=Exists(live))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("game",) if obj else ()

    def pointless_actions(self, id: UUID) -> set[str]:
        shop = Shop.objects.filter(pk=id).first()
        if shop is None:
            return set(self.actions_detail)
        without = set() if live_delivery_secrets(shop.game_id).exists() else {"retire"}
        return without | ({"pause"} if shop.paused_at else {"resume"})

    def sections(self, request: HttpRequest, obj: Shop) -> list[Section]:
        secrets = Secret.objects.filter(game_id=obj.game_id, purpose=Secret.Purpose.DELIVERY)
        latest = (
            Delivery.objects.filter(game_id=obj.game_id)
            .select_related("order__player", "game")
            .order_by("-pk")[:LATEST]
        )
        told = [delivery_row(row) for row in latest]
        return [
            signing_secrets.section(Shop, secrets, _("None: make one before the game has to deliver.")),
            Section(
                Delivery,
                _("Latest deliveries"),
                HEADERS,
                told,
                _("Nothing has been delivered to this game yet."),
            ),
        ]
