"""Alerts: problems that the platform has found, until an operator resolves them with a reason."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, Rows, choice, since, until
from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.filters import SelectedList, SelectingAdmin, Selection
from lib.backoffice.formatting import NOTHING, badge, clipped, link, moment, sentence
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from players.admin.approved_action import ApprovedAction, EffectPage, operator_of
from players.admin.search import SessionSearchAdmin
from players.models import GameSession, Operator
from wallet.admin.alert_meanings import MEANINGS, show_kind
from wallet.admin.alert_places import Place, end_of, find_places, show_places
from wallet.admin.owners import RESOLVE, Assign, Owned, OwnedRows, mine
from wallet.alerts import resolve_alert
from wallet.approvals.alerts import ACCEPTANCE, DifferencePayload
from wallet.models import Alert, AlertMessage, Wallet
from wallet.watch.doers import tells_of

Kind = Alert.Kind
# Their subjects begin with the slug of a game or a provider.
OF_SLUGS = (Kind.GAME_FORGETS, Kind.DEPOSITS_UNUSUAL, Kind.CALLBACKS_REFUSED)
CRITICAL_FIRST = (Case(When(kind__in=Alert.CRITICAL, then=Value(0)), default=Value(1)), "-pk")
OPEN = Selection(
    _("Open"), lambda rows: rows.filter(resolved_at=None), CRITICAL_FIRST, _("No alert is open.")
)


class Openness(Owned):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "open": OPEN,
        "mine": mine(OPEN),
        "resolved": Selection(
            _("Resolved"),
            lambda rows: rows.filter(resolved_at__isnull=False),
            empty=_("No alert has been resolved yet."),
        ),
        "all": Selection(_("All"), empty=_("No alert has been raised yet.")),
    }
    searched = "all"


MESSAGE_HEADERS = (
    _("Channel"),
    _("To"),
    _("Told that it was raised"),
    _("Told that it ended"),
    _("Next attempt"),
    _("Last problem"),
)
NOBODY_TOLD = _("Nobody: when it was raised, no channel was set up for alerts of this severity.")


def message_row(message: AlertMessage) -> tuple[Any, ...]:
    """What became of a message, by `MESSAGE_HEADERS`."""
    failed = _("{problem} (attempt {number})").format(problem=message.problem, number=f"{message.attempts:,}")
    return (
        message.get_channel_display(),
        message.address or "ALERT_WEBHOOK_URL",
        *(
            moment(at) if at else NOTHING
            for at in (message.raised_told_at, message.ended_told_at, message.next_attempt_at)
        ),
        failed if message.problem else NOTHING,
    )


class AcceptDifference(ApprovedAction[Alert]):
    """Takes a critical alert off the list, if a second person agrees."""

    title, permission, kind = _("Resolve and accept"), "wallet.resolve_ledger_difference", ACCEPTANCE

    def payload(self, row: Alert, given: dict[str, Any]) -> DifferencePayload:
        return DifferencePayload(row.pk)

    def effect_page(self, row: Alert, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, says=[*page.says, MEANINGS[Kind(row.kind)][2]])


def require_ordinary(alert: Alert) -> None:
    """Raises `Refused` if an alert is critical: what it found is not accepted by one person."""
    if alert.kind in Alert.CRITICAL:
        raise Refused(_("Accepting a difference needs a second person."))


class Resolve(PageAction[Alert]):
    """Takes an alert off the list that is not critical."""

    title, permission = _("Resolve"), RESOLVE

    def page(self, row: Alert) -> Page:
        says = [f"{row.subject}: {row.text}", MEANINGS[Kind(row.kind)][2]]
        require_ordinary(row)
        return Page(_("Resolve this alert?"), says, _("Resolve"))

    def do(self, act: Act[Alert]) -> str:
        require_ordinary(act.row)
        if tells_of(act.row, operator_of(act.request)):
            raise Refused(_("It tells of what you did yourself: somebody else resolves it."))
        is_new = resolve_alert(act.row, actor=act.actor, reason=act.reason)
        return _("The alert is resolved.") if is_new else _("The alert was resolved already.")


def of_owner(rows: Rows, value: str, given: Given) -> Rows:
    """By the exact name."""
    return rows.filter(owner__in=Operator.objects.filter(username=value).values("pk"))


def of_slug(rows: Rows, value: str, given: Given) -> Rows:
    """Alerts about a game or a provider; the subject of some is a game and a currency."""
    return rows.filter(Q(subject=value) | Q(subject__startswith=f"{value} "), kind__in=OF_SLUGS)


def kinds() -> list[tuple[str, str]]:
    """By their short names."""
    return [(kind, words[0]) for kind, words in MEANINGS.items()]


class PlacedList(SelectedList):
    """Each alert with where it leads, for whoever looks."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = place(self.result_list, request)


def place(alerts: Iterable[Alert], request: HttpRequest) -> list[Alert]:
    """The alerts, which know now where they lead."""
    rows = list(alerts)
    found = find_places(rows)
    for row in rows:
        # What is resolved needs no mending.
        places = found[row.pk][:1] if row.resolved_at else found[row.pk]
        row.places = [one for one in places if one.is_for(request.user)]  # type: ignore[attr-defined]
    return rows


def wallet_name(wallet: Wallet) -> str:
    return _("{currency} wallet of {uid}").format(currency=wallet.currency_id, uid=wallet.player.uid)


def thing_of(row: Alert) -> str:
    """What a person would call what an alert is about, which is no id of ours in full."""
    places = places_of(row)
    if places and places[0].view == "change":
        return str(places[0].words)
    return end_of(row.subject) if read_uuid(row.subject) else row.subject


def places_of(row: Alert) -> list[Place]:
    """None in a file."""
    found: list[Place] = getattr(row, "places", [])
    return found


@admin.register(Alert)
class AlertAdmin(OwnedRows, SessionSearchAdmin, SelectingAdmin):
    """A problem that needs a person's attention."""

    list_filter = (Openness,)
    conditions = (
        since(),
        until(),
        choice("kind", _("Kind"), "kind", kinds),
        Condition("owner", _("Owner"), of_owner),
        Condition("subject", _("Game or provider"), of_slug),
    )
    search_help_text = _("Exact uid, or the exact subject: a wallet, a game, a job")
    empty_text = _("No alert has been raised yet.")
    head_columns = HeadColumns(
        ["state"], ["text_shown", "meaning"], ["about", "wallet_link", "mending", "owner_shown"]
    )
    fields = (
        *("kind_shown", "severity_shown", "subject_mono", "raised", "last_seen", "times"),
        *("resolved", "reason_shown"),
    )
    actions_detail = ("resolve", "accept", "assign")
    resolve, accept, assign = Resolve(), AcceptDifference(), Assign()

    raised_clock = columns.clock(_("raised (UTC)"), "raised_at")
    kind_short = columns.text(_("kind"), show_kind)
    kind_shown = columns.text(_("kind"), lambda row: sentence(row.get_kind_display()))
    severity_shown = columns.sentence(_("severity"), lambda row: str(row.severity.label))
    subject_shown = columns.text(
        _("about"), lambda row: show_places(places_of(row)) if places_of(row) else clipped(row.subject)
    )
    # A wallet that differs has a line of its own, which says whether it is frozen.
    about = columns.text(
        _("about"),
        lambda row: (
            "" if row.wallet_id and row.kind == Kind.WALLET_DIFFERENCE else show_places(places_of(row)[:1])
        ),
    )
    mending = columns.text(_("what mends it"), lambda row: show_places(places_of(row)[1:]))
    subject_mono = columns.mono(_("subject"), "subject")

    found = columns.excerpt(_("details"), "text")
    text_shown = columns.text(
        _("details"), lambda row: format_html('<span class="wallet-text" lang="en">{}</span>', row.text)
    )

    @admin.display(description=_("wallet"))
    def wallet_link(self, obj: Alert) -> Any:
        if obj.wallet is None:
            return NOTHING
        frozen = badge(_("frozen"), "danger") if obj.wallet.frozen_at else badge(_("not frozen"))
        return format_html(
            "{} {}", link(wallet_name(obj.wallet), "wallet_wallet_change", obj.wallet_id), frozen
        )

    meaning = columns.text(_("meaning"), lambda row: MEANINGS[Kind(row.kind)][1])
    raised = columns.moment(_("raised"), "raised_at")
    last_seen = columns.moment(_("last seen"), "last_seen_at")
    times = columns.number(_("occurrences"), "times_seen")

    @admin.display(description=_("state"))
    def state(self, obj: Alert) -> SafeString:
        return (
            badge(_("resolved"), "success")
            if obj.resolved_at
            else badge(_("open"), "danger" if obj.kind in Alert.CRITICAL else "warning")
        )

    resolved = columns.text(
        _("resolved"),
        lambda row: _("{moment} by {name}").format(moment=moment(row.resolved_at), name=row.resolved_by),
    )
    reason_shown = columns.text(_("reason"), "reason")

    def title_of(self, row: Alert) -> str:
        about = wallet_name(row.wallet) if row.wallet else thing_of(row)
        return f"{sentence(MEANINGS[Kind(row.kind)][0])}: {about}"

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        which = "owner_shown" if Openness.name_in(request) in ("open", "mine") else "state"
        return ("raised_clock", "kind_short", which, "subject_shown", "found", "times")

    def get_fields(self, request: HttpRequest, obj: Alert | None = None) -> Any:
        absent = set() if obj and obj.resolved_at else {"resolved", "reason_shown"}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        alerts: QuerySet[Alert] = super().get_queryset(request)
        return alerts.select_related("wallet__player", "owner").defer("wallet__head")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SelectedList]:
        return PlacedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Alert | None:
        row = super().get_object(request, object_id, from_field)
        return place([row], request)[0] if row else None

    def sections(self, request: HttpRequest, obj: Alert) -> list[Section]:
        rows = obj.messages.order_by("channel", "address")
        told = Section(
            Alert, _("Who was told"), MESSAGE_HEADERS, [message_row(row) for row in rows], NOBODY_TOLD
        )
        return [told, *super().sections(request, obj)]

    def named(self, queryset: QuerySet[Alert], text: str) -> QuerySet[Alert]:
        # The index begins with the kind.
        return queryset.filter(Q(kind__in=Kind.values, subject=text) | Q(wallet__player__uid=text))

    def of_session(self, queryset: QuerySet[Alert], session: GameSession) -> QuerySet[Alert]:
        return queryset.filter(wallet__player_id=session.player_id, wallet__currency_id=session.currency_code)

    def pointless_actions(self, id: UUID) -> set[str]:
        alert = Alert.objects.filter(pk=id, resolved_at=None).only("kind").first()
        if alert is None:
            return set(self.actions_detail)
        return {"resolve"} if alert.kind in Alert.CRITICAL else {"accept"}
