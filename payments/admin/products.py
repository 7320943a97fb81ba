"""Products and their prices, entered and shown in major units."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.filters import Rows, SelectedList, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, link, moment, mono
from lib.backoffice.forms import TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.clock import WalletNow
from payments.approvals.catalogue import PRICES, PRODUCT_CHANGE
from payments.models import Price, Product, Secret, Shop
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from players.approvals.configuration import Values
from wallet.admin.amounts import AmountField, amount_column, written
from wallet.currencies import show_amount
from wallet.models import Currency

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline as InlineAdmin
    from django.contrib.admin.views.main import ChangeList

    PriceModelForm = forms.ModelForm[Price]
    Prices = BaseInlineFormSet[Price, Product, forms.ModelForm[Price]]
    PriceInlineAdmin = InlineAdmin[Price, Product]
else:
    from unfold.admin import TabularInline as PriceInlineAdmin
    from unfold.views import ChangeList

    PriceModelForm = forms.ModelForm
    Prices = BaseInlineFormSet

CHANGE = "payments.change_catalogue"
BY_GAME = ("game__slug", "code")
GIVES_NOTHING = _("A product needs a credit, delivery by the game, or both.")


def major_field(label: str, help_text: str = "", **options: Any) -> forms.CharField:
    """An amount in major units of a currency that stands in the same form; `read_major` reads it."""
    widget = TextWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, widget=widget, max_length=30, **options)


def read_major(text: str, currency: Currency) -> int | None:
    """The amount in minor units. Raises `ValidationError`."""
    return AmountField(currency).clean(text)


class ProductForm(GuardedForm):
    """Reports mistakes before the database's constraints do."""

    kind = PRODUCT_CHANGE

    credit = major_field(
        _("Credit"),
        _("The amount added to the wallet, such as 500.00. Leave empty for none."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.credit:
            self.initial["credit"] = written(self.instance.credit, str(self.instance.credit_currency_id))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        self.read_credit(given)
        begins, ends = given.get("on_sale_from"), given.get("on_sale_to")
        if begins and ends and ends <= begins:
            self.add_error("on_sale_to", _("The sale must end after it begins."))
        return given

    def wanted(self, formsets: Any) -> Values:
        lines = [form.cleaned_data for formset in formsets for form in formset.forms if form.cleaned_data]
        prices = {line["currency"].pk: line["amount"] for line in lines if not line.get("DELETE")}
        return {**super().wanted(formsets), PRICES: prices}

    def read_credit(self, given: dict[str, Any]) -> None:
        """Replaces the text by minor units."""
        text, currency = given.get("credit", ""), given.get("credit_currency")
        given["credit"] = None
        if text and currency:
            try:
                given["credit"] = read_major(text, currency)
            except ValidationError as problem:
                self.add_error("credit", problem)
        elif text and "credit_currency" not in self.errors:
            self.add_error("credit", _("Choose the currency of the credit below."))
        elif currency:
            self.add_error("credit", _("Enter the amount of the credit, or choose no currency."))
        elif not given.get("is_delivered") and "credit_currency" not in self.errors:
            self.add_error("is_delivered", GIVES_NOTHING)


class PriceForm(PriceModelForm):
    """A price in one currency."""

    amount = major_field(_("Price"), "", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.amount:
            self.initial["amount"] = written(self.instance.amount, str(self.instance.currency_id))
        for field in self.fields.values():
            # To a screen reader the column's heading is no label. The admin wraps the widget of a choice.
            widget: Any = getattr(field.widget, "widget", field.widget)
            widget.attrs["aria-label"] = str(field.label)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        text, currency = given.pop("amount", ""), given.get("currency")
        if text and currency:
            try:
                given["amount"] = read_major(text, currency)
            except ValidationError as problem:
                self.add_error("amount", problem)
        return given


class PriceFormSet(Prices):
    """A product without a price cannot be ordered."""

    def clean(self) -> None:
        super().clean()
        kept = [
            form
            for form in self.forms
            if form not in self.deleted_forms and (form.has_changed() or form.instance.amount)
        ]
        if not kept:
            raise ValidationError(
                _("Enter at least one price. To stop selling the product, set the end of the sale.")
            )


class PriceInline(PriceInlineAdmin):
    """Prices are edited with the permission to change the product."""

    model = Price
    form = PriceForm
    formset = PriceFormSet
    extra = 0
    min_num = 1
    hide_title = True

    amount_shown = amount_column(_("price"), "amount", "currency_id")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("currency", "amount") if self.may_write(request, obj) else ("currency", "amount_shown")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("amount_shown",)

    def may_write(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CHANGE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.view_product")

    has_change_permission = may_write
    has_delete_permission = may_write

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_write(request, obj)


def on_sale(rows: Rows) -> Rows:
    return rows.filter(
        Q(on_sale_from=None) | Q(on_sale_from__lte=WalletNow()),
        Q(on_sale_to=None) | Q(on_sale_to__gt=WalletNow()),
    )


def not_on_sale(rows: Rows) -> Rows:
    return rows.filter(Q(on_sale_from__gt=WalletNow()) | Q(on_sale_to__lte=WalletNow()))


class Sale(Selections):
    title = _("sale")
    parameter_name = "sale"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All"), order=BY_GAME),
        "on": Selection(_("On sale"), on_sale, BY_GAME, _("Nothing is on sale.")),
        "off": Selection(_("Not on sale"), not_on_sale, BY_GAME, _("Every product is on sale.")),
    }


def missing_for_delivery(game_id: UUID) -> list[str]:
    """The reasons for which deliveries to a game are impossible, in sentences; none if they are possible."""
    says = []
    if not Shop.objects.filter(game_id=game_id).exclude(order_url="").exists():
        says.append(
            _("The game has no order URL, so the product cannot be delivered. Enter the URL under Shops.")
        )
    if not live_delivery_secrets(game_id).exists():
        says.append(
            _("The game has no delivery secret, so deliveries cannot be signed. Make one on its shop's page.")
        )
    return says


def live_delivery_secrets(game_id: UUID) -> QuerySet[Secret]:
    """The secrets that sign deliveries to a game at present, newest first."""
    return Secret.objects.filter(game_id=game_id, purpose=Secret.Purpose.DELIVERY, retired_at=None).order_by(
        "-created_at", "-pk"
    )


def sale_words(begins: datetime | None, ends: datetime | None) -> str:
    """When a product can be ordered, in a sentence."""
    if begins and ends:
        return _("Sold from {begin} to {end}.").format(begin=moment(begins), end=moment(ends))
    if ends:
        return _("Sold until {end}.").format(end=moment(ends))
    if begins:
        return _("Sold from {begin} on.").format(begin=moment(begins))
    return _("Sold without a limit of time.")


@admin.register(Product)
class ProductAdmin(GuardedAdmin):
    """A product is added, changed and taken off sale, never deleted: orders name it."""

    form = ProductForm
    head_columns = HeadColumns(["state"], ["missing", "sale"], ["costs", "gives", "game_link"])
    add_permission = change_permission = CHANGE
    inlines = (PriceInline,)
    list_filter = (Sale,)
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    list_display = ("code", "name", "game", "gives", "costs", "state")
    list_select_related = ("game",)
    search_fields = ("code__iexact", "name__icontains", "game__slug__iexact")
    search_help_text = _("Product id, name or game")
    empty_text = _(
        "Add the products that the games sell, with their prices, and the credit or the delivery by the game."
    )
    actions = None
    fieldsets = (
        (None, {"fields": ("game", "code", "name", "name_de")}),
        (
            _("Contents"),
            {
                "fields": ("credit", "credit_currency", "is_delivered"),
                "description": _("Changes do not affect existing orders."),
            },
        ),
        (
            _("Sale"),
            {
                "fields": ("on_sale_from", "on_sale_to"),
                "description": _("Products are not deleted: end the sale, and it cannot be ordered."),
            },
        ),
    )

    @admin.display(description=_("contents"))
    def gives(self, obj: Product) -> str:
        credit = [show_amount(obj.credit, str(obj.credit_currency_id))] if obj.credit else []
        return ", ".join([*credit, *([str(_("delivered by the game"))] if obj.is_delivered else [])])

    @admin.display(description=_("prices"))
    def costs(self, obj: Product) -> SafeString:
        return mono(", ".join(show_amount(price.amount, price.currency_id) for price in obj.prices.all()))

    @admin.display(description=_("state"))
    def state(self, obj: Product) -> SafeString:
        at = obj.at  # type: ignore[attr-defined]
        if obj.on_sale_to and obj.on_sale_to <= at:
            return badge(_("ended"))
        if obj.on_sale_from and obj.on_sale_from > at:
            return badge(_("scheduled"), "info")
        if obj.is_delivered and not obj.is_deliverable:  # type: ignore[attr-defined]
            return badge(_("not deliverable"), "danger")
        return badge(_("on sale"), "success")

    credit_shown = columns.text(
        _("credit"),
        lambda row: show_amount(row.credit, str(row.credit_currency_id)) if row.credit else NOTHING,
    )

    @admin.display(description=_("needs attention"))
    def missing(self, obj: Product) -> SafeString | str:
        if not obj.is_delivered or not missing_for_delivery(obj.game_id):
            return ""
        shop = Shop.objects.filter(game_id=obj.game_id).first()
        words = format_html_join(" ", "{}", ((line,) for line in missing_for_delivery(obj.game_id)))
        return format_html(
            '<span class="wallet-warning">{}</span> {}',
            words,
            link(_("Its shop"), "payments_shop_change", shop.pk) if shop else "",
        )

    sale = columns.text(_("sale"), lambda row: sale_words(row.on_sale_from, row.on_sale_to))
    game_link = columns.link(_("game"), "players_game_change", "game_id", "game.slug")

    def title_of(self, row: Product) -> str:
        return row.name

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        rows: QuerySet[Product] = super().get_queryset(request)
        shops = Shop.objects.filter(game=OuterRef("game")).exclude(order_url="")
        secrets = Secret.objects.filter(
            game=OuterRef("game"), purpose=Secret.Purpose.DELIVERY, retired_at=None
        )
        return rows.prefetch_related("prices").annotate(
            at=WalletNow(), is_deliverable=Exists(shops) & Exists(secrets)
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SelectedList

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        (first, named), (title, gives), *others = super().get_fieldsets(request, obj)
        if obj and not self.has_change_permission(request, obj):
            gives = {**gives, "fields": ("credit_shown", "is_delivered")}
        return [(first, named), (title, gives), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("game", "code", "credit_shown") if obj else ("credit_shown",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        product = form.instance
        for line in missing_for_delivery(product.game_id) if product.is_delivered else ():
            messages.warning(request, line)
