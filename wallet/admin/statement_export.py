"""A player's statement as a file for spreadsheets, and as a page to print."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from lib.backoffice.confirmation import NOT_STORED, page_of
from lib.backoffice.exports import csv_file
from lib.backoffice.formatting import moment
from lib.backoffice.languages import _
from lib.backoffice.pages import view_permission
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, misses_recorded
from lib.clock import in_words, now, timestamp
from players.admin.players import PlayerAdmin
from players.models import Player
from wallet.admin.amounts import written
from wallet.admin.statement import NAMES, Asked, read_asked, text_of
from wallet.admin.statement_words import change, show_change, tell
from wallet.archive.entries import ArchiveAway
from wallet.currencies import show_amount
from wallet.models import Entry, Wallet
from wallet.statement import read_page
from wallet.statement_terms import MOST_WALLETS

EXPORT, EXPORTING = "players.export_player", "export_statement"
# More is read by nobody: the conditions must find fewer.
MOST_EXPORTED = 10_000
AT_ONCE = 1_000
# One round looks through a bounded span of each journal, whether it finds anything there or not.
MOST_ROUNDS = 100
TOO_MANY = _("More than {number} lines: narrow the conditions, for example by time.")
COLUMNS: dict[str, Callable[[Entry, str], Any]] = {
    "time": lambda entry, code: timestamp(entry.at),
    "currency": lambda entry, code: code,
    "what happened": tell,
    # In two columns: what begins with a sign is a formula to spreadsheets.
    "added": lambda entry, code: written(change(entry), code) if change(entry) > 0 else "",
    "taken": lambda entry, code: written(-change(entry), code) if change(entry) < 0 else "",
    "spendable after": lambda entry, code: written(entry.spendable, code),
    "reserved after": lambda entry, code: written(entry.reserved, code),
    "debt after": lambda entry, code: written(entry.debt, code),
    "game": lambda entry, code: game_of(entry),
    "type": lambda entry, code: entry.transaction.type if entry.transaction else "",
    "event": lambda entry, code: entry.event,
    "state now": lambda entry, code: entry.transaction.state if entry.transaction else "",
    "transaction": lambda entry, code: entry.transaction_id,
    "game's id": lambda entry, code: entry.transaction.mm_transaction_id if entry.transaction else "",
    "order": lambda entry, code: entry.transaction.reference if entry.transaction else "",
}


class TooMany(Exception):
    """The conditions find more than a file holds."""


def game_of(entry: Entry) -> str:
    """The slug of the game that caused an entry, if one did."""
    game = entry.transaction.game if entry.transaction else None
    return game.slug if game else ""


def read_all(player: Player, wallets: Sequence[Wallet], asked: Asked) -> list[Entry]:
    """All entries that meet the conditions, newest first. Raises `TooMany`."""
    found: list[Entry] = []
    place = ""
    for _round in range(MOST_ROUNDS):
        page = read_page(player, wallets, asked.wanted, place, AT_ONCE)
        found += page.entries
        if len(found) > MOST_EXPORTED:
            break
        if not page.following:
            return found
        place = page.following
    raise TooMany


class StatementExport(PlayerAdmin):
    """The player's page gives the statement away, to whoever may have it; that it did is recorded."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view(self.export), f"players_player_{EXPORTING}"
        return [path(f"<uuid:object_id>/{EXPORTING}/", view, name=name), *super().get_urls()]

    def export(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The statement, narrowed as the form says; whatever is no such form leads back to the page."""
        player = Player.objects.filter(pk=object_id).first()
        with misses_recorded(request, EXPORTING, lambda: player):
            if not request.user.has_perms([EXPORT, *map(view_permission, (Player, Wallet))]):
                raise PermissionDenied
        if player is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseRedirect(page_of(player))
        with misses_recorded(request, EXPORTING, lambda: player):
            return self.exported(request, player)

    def exported(self, request: HttpRequest, player: Player) -> HttpResponse:
        """The answer, recorded with its conditions."""
        wallets = list(Wallet.objects.filter(player=player).order_by("currency_id")[:MOST_WALLETS])
        given = request.POST.dict()
        try:
            entries = read_all(player, wallets, read_asked(given, wallets))
        except TooMany:
            messages.warning(request, TOO_MANY.format(number=f"{MOST_EXPORTED:,}"))
            return HttpResponseRedirect(page_of(player))
        except ArchiveAway as problem:
            messages.warning(request, problem.words)
            return HttpResponseRedirect(page_of(player))
        conditions = {name: text_of(given, name) for name in NAMES if text_of(given, name)}
        codes = {wallet.pk: wallet.currency_id for wallet in wallets}
        with transaction.atomic():
            self.record_export(request, player, conditions, len(entries))
            return answer(request, player, entries, codes, conditions)

    def record_export(
        self, request: HttpRequest, player: Player, conditions: Mapping[str, str], number: int
    ) -> None:
        state = RECORDING.there.state(player)
        said = ", ".join(f"{name} {value}" for name, value in conditions.items()) or "no conditions"
        note = f"{number:,} lines of the statement were exported ({said})."
        act = RecordedAct(action=EXPORTING, subject=player, before=state, after=state, note=note)
        RECORDING.there.record(request, act)


def answer(
    request: HttpRequest,
    player: Player,
    entries: Sequence[Entry],
    codes: Mapping[UUID, str],
    conditions: Mapping[str, str],
) -> HttpResponse:
    """The entries as a file, or as a page if that is asked for."""
    if request.POST.get("as") == "page":
        return printable(request, player, entries, codes, conditions)
    # Read while the file is written, and so in its language.
    rows = ([read(entry, codes[entry.wallet_id]) for read in COLUMNS.values()] for entry in entries)
    return csv_file(f"statement-{player.pk}.csv", list(COLUMNS), rows)


def printable(
    request: HttpRequest,
    player: Player,
    entries: Sequence[Entry],
    codes: Mapping[UUID, str],
    conditions: Mapping[str, str],
) -> HttpResponse:
    """A page without menus."""
    lines = [
        (
            moment(entry.at),
            tell(entry, code := codes[entry.wallet_id]),
            show_change(entry, code),
            show_amount(entry.spendable, code),
        )
        for entry in entries
    ]
    context = {
        "player": player,
        "lines": lines,
        "conditions": conditions.items(),
        "made": in_words(now()),
        "back": page_of(player),
    }
    return TemplateResponse(request, "admin/players/printed_statement.html", context, headers=NOT_STORED)
