"""Alerts: problems that the platform has found, until an operator resolves them with a reason."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.filters import SelectingAdmin, Selection
from lib.backoffice.formatting import NOTHING, badge, link, moment, sentence
from lib.backoffice.pages import Section
from players.admin.approved_action import ApprovedAction, EffectPage, operator_of
from players.admin.search import SessionSearchAdmin
from players.models import GameSession
from wallet.admin.owners import RESOLVE, Assign, Owned, OwnedRows, mine
from wallet.alerts import resolve_alert
from wallet.approvals.alerts import ACCEPTANCE, DifferencePayload
from wallet.models import Alert, AlertMessage
from wallet.watch.doers import tells_of

Kind = Alert.Kind
NEWEST = (F("raised_at").desc(), "-pk")
CRITICAL_FIRST = (Case(When(kind__in=Alert.CRITICAL, then=Value(0)), default=Value(1)), *NEWEST)
ACCEPTED = (
    "Resolving accepts this difference: the same finding, word for word, is not raised again. "
    "A different finding is."
)
# A short name for the list; what the alert means; and what resolving it does.
MEANINGS = {
    Kind.WALLET_DIFFERENCE: (
        "wallet difference",
        (
            "The wallet's balances do not follow from its journal. "
            "Its withdrawals are frozen until an operator unfreezes the wallet on its page."
        ),
        f"{ACCEPTED} It does not unfreeze the wallet: do that on the wallet's page.",
    ),
    Kind.LEDGER_DIFFERENCE: (
        "ledger difference",
        (
            "The ledger as a whole does not balance. "
            "Before you resolve this, find out what other than the platform wrote to the database."
        ),
        ACCEPTED,
    ),
    Kind.CHECKPOINT_DIFFERENCE: (
        "checkpoint difference",
        (
            "The journal does not match a signed checkpoint: it may have been rewritten. "
            "Preserve the file and the database as they are. "
            "No checkpoint is made until the difference is accepted (manage.py make_checkpoint --accept)."
        ),
        (
            "Resolving does not accept the difference: the next verification raises it again, "
            "until manage.py make_checkpoint --accept records why it is right."
        ),
    ),
    Kind.GAME_FORGETS: (
        "game lost data",
        (
            "The game answers UNKNOWN about most transactions, as it would after a loss of data. "
            "Until it recovers, none of its transactions expires on that answer."
        ),
        "It resolves by itself when the game knows its transactions again, and is raised again until then.",
    ),
    Kind.SWEEP_FAILED: (
        "job failed",
        "The last run of this job was aborted. The next run continues from there.",
        "It resolves by itself when the job has run again, and is raised again while the job fails.",
    ),
    Kind.SETTLEMENT_FAILED: (
        "settlement failed",
        "A due transaction could not be settled. The next sweep retries it.",
        "It is raised again if settlement fails again.",
    ),
    Kind.CREDIT_HELD: (
        "credit held back",
        (
            "A payment or its refund is posted, but not its effect on the wallet: "
            "the balance or debt would exceed the limit of a wallet."
        ),
        (
            "Resolve it once the wallet has been corrected by an adjustment. "
            "A later refund of the payment takes back no credit that was not given."
        ),
    ),
    Kind.REFUND_OPEN: (
        "refund unconfirmed",
        (
            "The provider has not confirmed the outcome of a refund. "
            "The credit set aside for it stays reserved, and status checks continue."
        ),
        "It is raised again while the refund is unconfirmed. Contact the provider.",
    ),
    Kind.REFUND_REFUSED: (
        "refund refused",
        (
            "The provider refused a refund that was requested here: the payer has got nothing back. "
            "The credit that was set aside for it is the player's again."
        ),
        "Resolve it once the payer was refunded otherwise, or is to get nothing.",
    ),
    Kind.RETURN_CHANGED: (
        "refund or dispute changed",
        (
            "A provider says that a refund failed, or that a dispute that was reversed holds money again. "
            "The money and the credit are booked accordingly."
        ),
        "Resolve it once the payer has got what is due. It is raised again if the provider says so anew.",
    ),
    Kind.ACTS_NOT_LINKED: (
        "acts not chained",
        (
            "Acts of operators were recorded minutes ago and are in no link of the audit trail's hash chain. "
            "Until they are, somebody with all rights in the database could change them unnoticed."
        ),
        "It resolves by itself when the job link_acts has run, and is raised again until then.",
    ),
    Kind.DELIVERY_GIVEN_UP: (
        "delivery given up",
        "A player has paid, and the game has not accepted the delivery. No more attempts are made.",
        (
            "Resolve it once the game has delivered or the order is refunded. "
            "The delivery can be sent again from its page."
        ),
    ),
    Kind.MONEY_BY_HAND: (
        "money by hand",
        (
            "Operators credited, or confirmed as deposits, more than ALERT_AMOUNT at once, "
            "or more than ALERT_AMOUNT_PER_DAY."
        ),
        "Resolve it once you know why. The same transaction, or day, is not told again.",
    ),
    Kind.DEPOSITS_UNUSUAL: (
        "unusual deposits",
        (
            "The game's deposits of the last hour are more than five times its usual hour. "
            "A leaked credential looks like that: ask the game, revoke the credential, set a payout limit."
        ),
        "It resolves by itself when an hour is as usual, and is raised again until then.",
    ),
    Kind.ACCESS_CHANGED: (
        "access changed",
        "An operator changed a secret, a credential, an address, a limit, or another operator.",
        "Resolve it if that was meant to happen. The audit trail has what was before and after.",
    ),
    Kind.LOCK_OUT: (
        "lock-out",
        "Somebody failed so often to log in under this name that further attempts from there wait.",
        "It is raised again at the next lock-out of this name.",
    ),
    Kind.CALLBACKS_REFUSED: (
        "callbacks refused",
        (
            "More than a small share of this provider's callbacks is refused: its secret was changed at one "
            "side only, or somebody tries to forge them. If the provider has a new secret, enter it on the "
            "provider's page, then have what came meanwhile verified again there."
        ),
        "It resolves by itself when a callback of the provider is accepted, and none is refused any more.",
    ),
}


OPEN = Selection("Open", lambda rows: rows.filter(resolved_at=None), CRITICAL_FIRST, "No alert is open.")


class Openness(Owned):
    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "open": OPEN,
        "mine": mine(OPEN),
        "resolved": Selection(
            "Resolved",
            lambda rows: rows.filter(resolved_at__isnull=False),
            NEWEST,
            "No alert has been resolved yet.",
        ),
        "all": Selection("All", order=NEWEST, empty="No alert has been raised yet."),
    }
    searched = "all"


def show_kind(alert: Alert) -> SafeString:
    """The kind of an alert, in short; red if it is critical and open."""
    colour = "" if alert.resolved_at else "danger" if alert.kind in Alert.CRITICAL else "warning"
    return badge(MEANINGS[Kind(alert.kind)][0], colour)


MESSAGE_HEADERS = (
    "Channel",
    "To",
    "Told that it was raised",
    "Told that it ended",
    "Next attempt",
    "Last problem",
)
NOBODY_TOLD = "Nobody: when it was raised, no channel was set up for alerts of this severity."


def message_row(message: AlertMessage) -> tuple[Any, ...]:
    """What became of a message, by `MESSAGE_HEADERS`."""
    failed = f"{message.problem} (attempt {message.attempts:,})" if message.problem else NOTHING
    return (
        message.get_channel_display(),
        message.address or "ALERT_WEBHOOK_URL",
        *(
            moment(at) if at else NOTHING
            for at in (message.raised_told_at, message.ended_told_at, message.next_attempt_at)
        ),
        failed,
    )


class AcceptDifference(ApprovedAction[Alert]):
    """Takes a critical alert off the list, if a second person agrees."""

    title, permission, kind = "Resolve and accept", "wallet.resolve_ledger_difference", ACCEPTANCE

    def payload(self, row: Alert, given: dict[str, Any]) -> DifferencePayload:
        return DifferencePayload(row.pk)

    def effect_page(self, row: Alert, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, says=[*page.says, MEANINGS[Kind(row.kind)][2]])


def require_ordinary(alert: Alert) -> None:
    """Raises `Refused` if an alert is critical: what it found is not accepted by one person."""
    if alert.kind in Alert.CRITICAL:
        raise Refused("Accepting a difference needs a second person.")


class Resolve(PageAction[Alert]):
    """Takes an alert off the list that is not critical."""

    title, permission = "Resolve", RESOLVE

    def page(self, row: Alert) -> Page:
        says = [f"{row.subject}: {row.text}", MEANINGS[Kind(row.kind)][2]]
        require_ordinary(row)
        return Page("Resolve this alert?", says, "Resolve")

    def do(self, act: Act[Alert]) -> str:
        require_ordinary(act.row)
        if tells_of(act.row, operator_of(act.request)):
            raise Refused("It tells of what you did yourself: somebody else resolves it.")
        is_new = resolve_alert(act.row, actor=act.actor, reason=act.reason)
        return "The alert is resolved." if is_new else "The alert was resolved already."


@admin.register(Alert)
class AlertAdmin(OwnedRows, SessionSearchAdmin, SelectingAdmin):
    """A problem that needs a person's attention."""

    list_filter = (Openness,)
    search_help_text = "Exact uid, or the exact subject: a wallet, a game, a job"
    empty_text = "No alert has been raised yet."
    fields = (
        "kind_shown",
        "severity_shown",
        "subject_mono",
        "wallet_link",
        "text_shown",
        "meaning",
        "raised",
        "last_seen",
        "times",
        "state",
        "owner_shown",
        "resolved",
        "reason_shown",
    )
    actions_detail = ("resolve", "accept", "assign")
    resolve, accept, assign = Resolve(), AcceptDifference(), Assign()

    raised_clock = columns.clock("raised (UTC)", "raised_at")
    kind_short = columns.text("kind", show_kind)
    kind_shown = columns.text("kind", lambda row: sentence(row.get_kind_display()))
    severity_shown = columns.sentence("severity", "severity")
    subject_shown = columns.clipped("subject", "subject")
    subject_mono = columns.mono("subject", "subject")

    found = columns.excerpt("details", "text")
    text_shown = columns.text(
        "details", lambda row: format_html('<span class="wallet-text">{}</span>', row.text)
    )

    @admin.display(description="wallet")
    def wallet_link(self, obj: Alert) -> Any:
        if obj.wallet is None:
            return NOTHING
        frozen = badge("frozen", "danger") if obj.wallet.frozen_at else badge("not frozen")
        words = f"{obj.wallet.currency_id} wallet of {obj.wallet.player.uid}"
        return format_html("{} {}", link(words, "wallet_wallet_change", obj.wallet_id), frozen)

    meaning = columns.text("meaning", lambda row: MEANINGS[Kind(row.kind)][1])
    raised = columns.moment("raised", "raised_at")
    last_seen = columns.moment("last seen", "last_seen_at")
    last_clock = columns.clock("last seen (UTC)", "last_seen_at")
    times = columns.number("occurrences", "times_seen")

    @admin.display(description="state")
    def state(self, obj: Alert) -> SafeString:
        return (
            badge("resolved", "success")
            if obj.resolved_at
            else badge("open", "danger" if obj.kind in Alert.CRITICAL else "warning")
        )

    resolved = columns.text("resolved", lambda row: f"{moment(row.resolved_at)} by {row.resolved_by}")
    reason_shown = columns.text("reason", "reason")

    def title_of(self, row: Alert) -> str:
        about = f"{row.wallet.currency_id} wallet of {row.wallet.player.uid}" if row.wallet else row.subject
        return f"{sentence(MEANINGS[Kind(row.kind)][0])}: {about}"

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        which = "owner_shown" if Openness.name_in(request) in ("open", "mine") else "state"
        return ("raised_clock", "kind_short", which, "subject_shown", "found", "times", "last_clock")

    def get_fields(self, request: HttpRequest, obj: Alert | None = None) -> Any:
        absent = set() if obj and obj.resolved_at else {"resolved", "reason_shown"}
        if obj and obj.wallet_id is None:
            absent.add("wallet_link")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        alerts: QuerySet[Alert] = super().get_queryset(request)
        return alerts.select_related("wallet__player", "owner").defer("wallet__head")

    def sections(self, request: HttpRequest, obj: Alert) -> list[Section]:
        rows = obj.messages.order_by("channel", "address")
        told = Section(
            Alert, "Who was told", MESSAGE_HEADERS, [message_row(row) for row in rows], NOBODY_TOLD
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
