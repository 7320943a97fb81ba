"""The money on the pages of players and sessions: wallets, entries, transactions."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.formatting import link, search_address
from lib.backoffice.pages import Section
from players.admin.players import PlayerAdmin
from players.admin.search import SESSION
from players.admin.sessions import SessionAdmin
from players.models import GameSession, Player
from wallet.admin.amounts import amount_cell
from wallet.admin.statement import statement_section
from wallet.admin.wallets import WALLET_HEADERS, show_gate
from wallet.models import Wallet
from wallet.statement import MOST_WALLETS


def wallet_row(wallet: Wallet) -> tuple[Any, ...]:
    """A wallet by `WALLET_HEADERS`."""
    amounts = (
        amount_cell(value, wallet.currency_id)
        for value in (wallet.spendable, wallet.reserved, wallet.announced, wallet.debt)
    )
    return (
        link(f"{wallet.currency_id} wallet", "wallet_wallet_change", wallet.pk),
        *amounts,
        show_gate(wallet),
    )


def transactions_link(session: GameSession) -> SafeString:
    """A link to the transactions of a session."""
    address = search_address("wallet_transaction", f"{SESSION}{session.pk}")
    return format_html('<a href="{}" class="wallet-link">Transactions of this session</a>', address)


class PlayerWithMoneyAdmin(PlayerAdmin):
    """A player, and what they own. The admin of payments adds the orders to this page and registers it."""

    def sections(self, request: HttpRequest, obj: Player) -> list[Section]:
        wallets = list(Wallet.objects.filter(player=obj).defer("head").order_by("currency_id")[:MOST_WALLETS])
        more = ("All transactions", search_address("wallet_transaction", obj.uid))
        empty = "No wallet yet: one is opened when a game is first launched in a currency."
        money = Section(
            Wallet, "Wallets", WALLET_HEADERS, [wallet_row(wallet) for wallet in wallets], empty, more
        )
        statement = statement_section(
            obj, wallets, request.GET.dict(), lambda ids: self.order_links(request, ids)
        )
        return [money, statement, *super().sections(request, obj)]

    def order_links(self, request: HttpRequest, ids: set[UUID]) -> Mapping[UUID, SafeString]:
        """Links to orders by their ids. Orders are not the wallet's to know."""
        return {}


@admin.register(GameSession)
class SessionWithMoneyAdmin(SessionAdmin):
    """A session, and the way to its transactions."""

    fields: ClassVar[tuple[str, ...]] = (*SessionAdmin.fields, "transactions")

    transactions = columns.text("transactions", lambda row: transactions_link(row))
