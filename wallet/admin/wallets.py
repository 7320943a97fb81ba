"""Wallets: balances and the journal, read only; gates and adjustments behind confirmation pages."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, until
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, moment
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import read_number
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import GameSession, Player
from wallet.admin import journal
from wallet.admin.amounts import amount_cell, amount_column, currencies
from wallet.admin.wallet_actions import WalletActions
from wallet.currencies import show_amount
from wallet.models import Wallet

WALLET_HEADERS = (_("Wallet"), _("Spendable"), _("Reserved"), _("Announced"), _("Debt"), _("Withdrawals"))


class Gates(Selections):
    """Frozen wallets have an index of their own."""

    title = _("withdrawals")
    parameter_name = "withdrawals"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All")),
        "frozen": Selection(
            _("Frozen"),
            lambda rows: rows.filter(frozen_at__isnull=False),
            (F("frozen_at").desc(), "-pk"),
            _("No wallet is frozen."),
        ),
    }


def show_gate(wallet: Wallet) -> SafeString:
    """Whether withdrawals from a wallet are possible."""
    if wallet.frozen_at:
        return badge(_("frozen"), "danger")
    return badge(_("limited"), "warning") if wallet.withdrawal_limit else badge(_("open"), "success")


def gate_words(wallet: Wallet) -> str:
    """Whether withdrawals from a wallet are possible, and why not, in a sentence."""
    if wallet.frozen_at:
        entry = journal.last_freeze(wallet)
        why = f"{entry.actor}: {entry.note or NOTHING}" if entry else _("not in the journal")
        said = _("No withdrawal is possible. Frozen at {moment} by {why}")
        return said.format(moment=moment(wallet.frozen_at), why=why)
    if wallet.withdrawal_limit:
        limit = show_amount(wallet.withdrawal_limit, wallet.currency_id)
        return _("Withdrawals of at most {limit} each are possible.").format(limit=limit)
    return _("Withdrawals of what is spendable are possible.")


@admin.register(Wallet)
class WalletAdmin(WalletActions, SessionSearchAdmin, SelectingAdmin):
    """A player's money in one currency. Only the ledger writes it."""

    list_filter = (Gates,)
    conditions = (
        since(),
        until(),
        choice("currency", _("Currency"), "currency_id", currencies),
    )
    search_help_text = _("Exact uid, wallet id, or a session token")
    empty_text = _("A wallet is opened when a player first launches a game in a currency.")
    head_columns = HeadColumns(
        ["gate"],
        ["withdrawals"],
        ["spendable_major", "reserved_major", "announced_major", "debt_major", "player_uid"],
    )
    fields = ("full_id", "code", "limit_major", "entries", "opened")

    short = columns.short_id(_("wallet"))
    full_id = columns.mono(_("id"), "pk")
    player_uid = player_column(_("player"), "player")
    code = columns.text(_("currency"), "currency_id")
    spendable_major = amount_column(_("spendable"), "spendable", "currency_id")
    reserved_major = amount_column(_("reserved"), "reserved", "currency_id")
    announced_major = amount_column(_("announced"), "announced", "currency_id")
    debt_major = amount_column(_("debt"), "debt", "currency_id")
    gate = columns.text(_("withdrawals"), show_gate)
    withdrawals = columns.text(_("withdrawals"), gate_words)
    frozen_clock = columns.clock(_("frozen since (UTC)"), "frozen_at")

    limit_major = columns.text(
        _("largest withdrawal"),
        lambda row: (
            amount_cell(row.withdrawal_limit, row.currency_id) if row.withdrawal_limit else _("no limit")
        ),
    )
    entries = columns.number(_("journal entries"), "entry_count")
    opened = columns.moment(_("opened"), "opened_at")

    def title_of(self, row: Wallet) -> str:
        return _("{code} wallet of {uid}").format(code=row.currency_id, uid=row.player.uid)

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        if Gates.name_in(request) == "frozen":
            return (
                "short",
                "player_uid",
                "frozen_clock",
                "code",
                "spendable_major",
                "reserved_major",
                "debt_major",
            )
        return (
            "short",
            "player_uid",
            "code",
            "spendable_major",
            "reserved_major",
            "announced_major",
            "debt_major",
            "gate",
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wallet]:
        wallets: QuerySet[Wallet] = super().get_queryset(request)
        return wallets.select_related("player").defer("head")

    def named(self, queryset: QuerySet[Wallet], text: str) -> QuerySet[Wallet]:
        id, player = read_uuid(text), Player.objects.filter(uid=text).first()
        return (
            queryset.filter(Q(pk=id) | Q(player=player))
            if player
            else queryset.filter(pk=id)
            if id
            else queryset.none()
        )

    def of_session(self, queryset: QuerySet[Wallet], session: GameSession) -> QuerySet[Wallet]:
        return queryset.filter(player_id=session.player_id, currency_id=session.currency_code)

    def sections(self, request: HttpRequest, obj: Wallet) -> list[Section]:
        before = read_number(request.GET.get("before", ""))
        entries, following, missing = journal.journal_page(obj, before)
        older = (
            (_("Older entries"), f"?before={following}#journal-{obj.currency_id.lower()}")
            if following
            else None
        )
        newest = (_("Newest entries"), f"?#journal-{obj.currency_id.lower()}") if before else None
        return [
            journal.section(
                _("Journal"),
                entries,
                obj.currency_id,
                empty=_("There are no older entries."),
                note=missing,
                more=older,
                back=newest,
            )
        ]
