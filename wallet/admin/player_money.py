"""The money on the pages of players and sessions: wallets, entries, transactions."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import page_of
from lib.backoffice.formatting import link, search_address
from lib.backoffice.heads import Head
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, view_permission
from lib.backoffice.sections import read_page
from players.admin.search import SESSION
from players.admin.sessions import SessionAdmin
from players.models import GameSession, Player
from wallet.admin.amounts import amount_cell
from wallet.admin.balance_chart import charts_of
from wallet.admin.limit_actions import LimitActions
from wallet.admin.player_calls import player_calls_section
from wallet.admin.player_limits import PAGE as CHANGES_PAGE
from wallet.admin.player_limits import changes_section, limit_sections
from wallet.admin.statement import statement_section
from wallet.admin.statement_export import EXPORT, EXPORTING, StatementExport
from wallet.admin.wallet_actions import WalletActions
from wallet.admin.wallets import WALLET_HEADERS, show_gate
from wallet.currencies import show_amount
from wallet.models import Wallet
from wallet.statement import MOST_WALLETS


def wallet_row(wallet: Wallet) -> tuple[Any, ...]:
    """A wallet by `WALLET_HEADERS`."""
    amounts = (
        amount_cell(value, wallet.currency_id)
        for value in (wallet.spendable, wallet.reserved, wallet.announced, wallet.debt)
    )
    return (
        link(_("{code} wallet").format(code=wallet.currency_id), "wallet_wallet_change", wallet.pk),
        *amounts,
        show_gate(wallet),
    )


def wallets_of(player: Player) -> list[Wallet]:
    """A player's wallets, read once for a page."""
    known: list[Wallet] | None = getattr(player, "known_wallets", None)
    if known is None:
        known = list(
            Wallet.objects.filter(player=player).defer("head").order_by("currency_id")[:MOST_WALLETS]
        )
        player.known_wallets = known  # type: ignore[attr-defined]
    return known


class MoneyLine(NamedTuple):
    """A wallet in the head: what is spendable, what else there is in words, and its links."""

    amount: str
    rest: str
    gate: SafeString | str
    wallet: str
    adjust: str


def money_line(wallet: Wallet, *, may_adjust: bool) -> MoneyLine:
    """A wallet in the head of its player's page."""
    code = wallet.currency_id
    parts = (
        (_("{amount} reserved"), wallet.reserved),
        (_("{amount} announced"), wallet.announced),
        (_("{amount} debt"), wallet.debt),
    )
    rest = ", ".join(words.format(amount=show_amount(value, code)) for words, value in parts if value)
    is_open = not wallet.frozen_at and not wallet.withdrawal_limit
    adjust = reverse("admin:wallet_wallet_adjust", args=[wallet.pk]) if may_adjust else ""
    amount = show_amount(wallet.spendable, code)
    return MoneyLine(amount, rest, "" if is_open else show_gate(wallet), page_of(wallet), adjust)


def transactions_link(session: GameSession) -> SafeString:
    """A link to the transactions of a session."""
    address = search_address("wallet_transaction", f"{SESSION}{session.pk}")
    return format_html('<a href="{}" class="wallet-link">{}</a>', address, _("Transactions of this session"))


class PlayerWithMoneyAdmin(LimitActions, StatementExport):
    """A player, and what they own. The admin of payments adds the orders to this page and registers it."""

    def sections(self, request: HttpRequest, obj: Player) -> list[Section]:
        wallets = wallets_of(obj)
        more = (_("All transactions"), search_address("wallet_transaction", obj.uid))
        empty = _("No wallet yet: one is opened when a game is first launched in a currency.")
        money = Section(
            Wallet, _("Wallets"), WALLET_HEADERS, [wallet_row(wallet) for wallet in wallets], empty, more
        )
        may_export = request.user.has_perm(EXPORT)
        export = reverse(f"admin:players_player_{EXPORTING}", args=[obj.pk]) if may_export else ""
        statement = statement_section(
            obj, wallets, request.GET.dict(), lambda ids: self.order_links(request, ids), export
        )
        limits, *other_limits = limit_sections(wallets)
        return [
            money,
            limits._replace(acts=self.section_acts(request, obj)),
            *other_limits,
            statement,
            *self.bought(obj),
            *super().sections(request, obj),
            *changes_section(obj, wallets, read_page(request.GET.get(CHANGES_PAGE, ""))),
            player_calls_section(obj),
        ]

    def bought(self, obj: Player) -> list[Section]:
        """What the player has ordered. Orders are not the wallet's to know."""
        return []

    def head(self, request: HttpRequest, obj: Player) -> Head:
        head = super().head(request, obj)
        if not request.user.has_perm(view_permission(Wallet)):
            return head
        may_adjust = request.user.has_perm(WalletActions.adjust.permission)
        return head._replace(money=[money_line(one, may_adjust=may_adjust) for one in wallets_of(obj)])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj and request.user.has_perm(view_permission(Wallet)):
            context["charts"] = charts_of(obj, wallets_of(obj))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def order_links(self, request: HttpRequest, ids: set[UUID]) -> Mapping[UUID, SafeString]:
        """Links to orders by their ids. Orders are not the wallet's to know."""
        return {}


@admin.register(GameSession)
class SessionWithMoneyAdmin(SessionAdmin):
    """A session, and the way to its transactions."""

    head_columns = SessionAdmin.head_columns._replace(
        beside=[*SessionAdmin.head_columns.beside, "transactions"]
    )

    transactions = columns.text(_("transactions"), lambda row: transactions_link(row))
