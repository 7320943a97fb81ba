"""Players' limits in words, as operators read them."""

from lib.backoffice.languages import _, format_lazy, ngettext_lazy
from lib.clock import in_words
from wallet.currencies import show_amount
from wallet.limits import Kind, Limit, Period

BOUNDS = {
    (Kind.DEPOSIT, Period.DAY): _("paid in per day"),
    (Kind.DEPOSIT, Period.WEEK): _("paid in per week"),
    (Kind.DEPOSIT, Period.MONTH): _("paid in per month"),
    (Kind.DEPOSIT, Period.ROLLING): _("paid in within 24 hours"),
    (Kind.SPEND, Period.DAY): _("spent per day"),
    (Kind.SPEND, Period.WEEK): _("spent per week"),
    (Kind.SPEND, Period.MONTH): _("spent per month"),
    (Kind.SPEND, Period.ROLLING): _("spent within 24 hours"),
    (Kind.LOSS, Period.DAY): _("lost per day"),
    (Kind.LOSS, Period.WEEK): _("lost per week"),
    (Kind.LOSS, Period.MONTH): _("lost per month"),
    (Kind.LOSS, Period.ROLLING): _("lost within 24 hours"),
    (Kind.SINGLE, Period.NONE): _("largest single withdrawal"),
    (Kind.BALANCE, Period.NONE): _("largest balance"),
    (Kind.TIME, Period.DAY): _("time played per day"),
}
NO_LIMIT = _("no limit")
FROM = _("{after} from {moment} on")
CONFIRMED = _("{after} once the player confirms it, from {moment} on")


def bounded(kind: str, period: str, game: str | None) -> str:
    """What a limit bounds: spent per day, only in starfall. `game` is a slug, None for all games."""
    what = BOUNDS[Kind(kind), Period(period)]
    if kind == Kind.BALANCE:
        return what
    where = format_lazy(_("only in {game}"), game=game) if game else _("all games")
    return format_lazy("{what}, {where}", what=what, where=where)


def bound(amount: int | None, kind: str, code: str) -> str:
    """A bound: an amount, or minutes; None is no limit."""
    if amount is None:
        return NO_LIMIT
    if kind == Kind.TIME:
        return format_lazy(ngettext_lazy("{number} minute", "{number} minutes", amount), number=amount)
    return show_amount(amount, code)


def pending_words(limit: Limit, code: str) -> str:
    """What a limit is to become, and when; nothing if it stays as it is."""
    if limit.pending_at is None:
        return ""
    words = CONFIRMED if limit.needs_confirmation else FROM
    after = bound(limit.pending_amount, limit.kind, code)
    return format_lazy(words, after=after, moment=in_words(limit.pending_at))
