"""A player's limits on the player's page: how they stand, and how they came to be so."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.html import format_html
from django.utils.text import capfirst

from lib.backoffice.formatting import NOTHING, badge, clock, wrapped
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pagination import one_page
from lib.backoffice.sections import Section
from lib.backoffice.stored_texts import reworded
from lib.clock import in_words
from players.models import Game, Player
from wallet.admin.amounts import digits
from wallet.admin.statement import ANCHOR
from wallet.limit_words import FROM, bound, bounded, pending_words
from wallet.limits import Kind, Limit, SetBy, limits_of
from wallet.models import LimitChange, Wallet

What = LimitChange.What
LIMIT_HEADERS = (_("Limit"), _("Whose"), _("At most"), _("Used"), _("Left"), _("Pending change"))
CHANGE_HEADERS = (
    _("When (UTC)"),
    _("Limit"),
    _("What"),
    _("Before"),
    _("After"),
    _("By"),
    _("Reason"),
)
WHOSE: dict[str, str] = {SetBy.PLAYER: _("the player's"), SetBy.OPERATOR: _("the operators'")}
WHAT: dict[str, str] = {
    What.SET: _("set"),
    What.REMOVED: _("removed"),
    What.REQUESTED: _("requested"),
    What.CONFIRMED: _("confirmed"),
    What.CANCELLED: _("cancelled"),
}
NONE = _("No limit: nobody bounds what this player pays in, spends, loses and holds, or how long they play.")
STRICTEST = _("The strictest comes first, and counts. Days, weeks and months are those of {zone}.")
NO_CHANGE = _("There are no older changes.")
# The number of the page of changes in an address, and how many stand on one.
PAGE, PER_PAGE, PLACE = "limit_changes", 25, "#changes-of-limits"


def limit_sections(wallets: Sequence[Wallet]) -> list[Section]:
    """The limits of each wallet that has any; one section that says so if there is none."""
    found = [(wallet, limits) for wallet in wallets if (limits := limits_of(wallet))]
    if not found:
        return [Section(Wallet, _("Limits"), LIMIT_HEADERS, [], NONE)]
    games = slugs_of(found)
    note = STRICTEST.format(zone=settings.PLATFORM_ZONE)
    return [
        Section(
            Wallet,
            format_lazy(_("Limits in {code}"), code=wallet.currency_id),
            LIMIT_HEADERS,
            [limit_row(limit, wallet.currency_id, games) for limit in sorted(limits, key=strictness)],
            NONE,
            note=note,
        )
        for wallet, limits in found
    ]


def slugs_of(found: Sequence[tuple[Wallet, Sequence[Limit]]]) -> dict[UUID, str]:
    """The slugs of the games that limits are of."""
    ids = {limit.game_id for _, limits in found for limit in limits if limit.game_id}
    return dict(Game.objects.filter(pk__in=ids).values_list("pk", "slug")) if ids else {}


def left_of(limit: Limit) -> int | None:
    """How much of a limit is left, in minor units or minutes; None if it bounds nothing now."""
    return None if limit.amount is None else limit.amount - (limit.used or 0)


def strictness(limit: Limit) -> tuple[bool, bool, bool, int]:
    """What refuses first stands first: what is used up, then by what is left; minutes come after money."""
    left = left_of(limit)
    return (left is None, left is not None and left > 0, limit.kind == Kind.TIME, left or 0)


def cell(amount: int | None, kind: str, code: str) -> Any:
    """A bound in a table."""
    return digits(bound(amount, kind, code))


def limit_row(limit: Limit, code: str, games: dict[UUID, str]) -> tuple[Any, ...]:
    """A limit by `LIMIT_HEADERS`."""
    game, left = games.get(limit.game_id) if limit.game_id else None, left_of(limit)
    used = digits(NOTHING) if limit.used is None else cell(limit.used, limit.kind, code)
    return (
        wrapped(capfirst(bounded(limit.kind, limit.period, game))),
        WHOSE[limit.set_by],
        cell(limit.amount, limit.kind, code),
        used,
        left_cell(limit, left, code),
        wrapped(pending_words(limit, code)),
    )


def left_cell(limit: Limit, left: int | None, code: str) -> Any:
    if left is None or limit.used is None:
        return digits(NOTHING)
    return badge(_("used up"), "danger") if left <= 0 else cell(left, limit.kind, code)


def changes_section(player: Player, wallets: Sequence[Wallet], number: int) -> list[Section]:
    """Page `number` of the changes of a player's limits, newest first; nothing if there never was one."""
    if not any(wallet.limited_at for wallet in wallets):
        return []
    changes = LimitChange.objects.filter(player=player).select_related("limit__game")
    found, has_more = one_page(changes.order_by("-at", "-pk"), number, PER_PAGE)
    codes = {wallet.pk: wallet.currency_id for wallet in wallets}
    rows = [change_row(row, codes[row.wallet_id]) for row in found]
    older = (_("Older"), f"?{PAGE}={number + 1}{PLACE}") if has_more else None
    newest = (_("Newest"), f"?{PLACE}") if number > 1 else None
    return [
        Section(Wallet, _("Changes of limits"), CHANGE_HEADERS, rows, NO_CHANGE, older, newest, note=gates())
    ]


def change_row(change: LimitChange, code: str) -> tuple[Any, ...]:
    """A change by `CHANGE_HEADERS`."""
    limit, game = change.limit, change.limit.game
    what = bounded(limit.kind, limit.period, game.slug if game else None)
    after = bound(change.new_amount, limit.kind, code)
    if change.what == What.REQUESTED:
        after = format_lazy(FROM, after=after, moment=in_words(change.counts_at or change.at))
    reason = change.reason if change.actor.startswith("operator:") else reworded(change.reason)
    return (
        clock(change.at),
        wrapped(format_lazy("{whose}, {code}: {what}", whose=WHOSE[limit.set_by], code=code, what=what)),
        WHAT[change.what],
        cell(change.old_amount, limit.kind, code),
        wrapped(after),
        wrapped(change.actor),
        wrapped(reason),
    )


def gates() -> str:
    """Where the changes of one limit stand that is older than the others."""
    words = _("The statement has the changes of the operators' largest single withdrawal of all games:")
    return format_html(
        '{} <a href="?kind=wallet#{}" class="wallet-link">{}</a>', words, ANCHOR, _("Freezes and limits")
    )
