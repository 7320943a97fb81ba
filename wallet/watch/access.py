"""Changes of who may do what, and locked doors, as the audit trail has them.

Rule: each act that changed a secret, a credential, a place that we call, a limit or an approval rule, and
each act on an operator by somebody else; and each lock-out of a name. That the first operator was made is
none of them: nobody was there before.
"""

from datetime import datetime, timedelta

from django.db.models import CharField, F, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from lib.ids import id_at
from players.audit_trail.record import Outcome
from players.audit_trail.recorder import LOOK
from players.logins.events import LOCK_OUT
from players.models import AuditEvent, Operator
from wallet.alerts import raise_alert, raise_once
from wallet.models import Alert

Kind = Alert.Kind
OPERATOR = "players.operator"
ACCESS = (
    "players.credential",
    "players.game",
    "players.approvalrule",
    "payments.provider",
    "payments.shop",
    "payments.eventreceiver",
    "payments.secret",
    "wallet.payoutlimit",
)
NOBODY = "unknown names"


def watch_access(since: datetime, at: datetime) -> int:
    """Returns how many alerts are new."""
    return sum(tell(event) for event in acts(since, at).order_by("pk"))


def acts(since: datetime, until: datetime) -> QuerySet[AuditEvent]:
    """What was done in that time that somebody should hear of: not who looked at an operator's page."""
    # Ids are made by other clocks than the database's.
    done = AuditEvent.objects.filter(
        pk__gte=id_at(since - timedelta(days=1)), at__range=(since, until), outcome=Outcome.DONE
    ).exclude(action=LOOK)
    himself = Q(subject_id=Cast(F("operator_id"), CharField()))
    of_another = Q(subject_type=OPERATOR) & ~(himself & Q(operator__isnull=False))
    first = Operator.objects.order_by("pk").values(key=Cast("pk", CharField()))[:1]
    of_the_first = Q(subject_type=OPERATOR, action="add_operator", subject_id=Subquery(first))
    return done.filter(Q(subject_type__in=ACCESS) | Q(action=LOCK_OUT) | of_another).exclude(of_the_first)


def tell(event: AuditEvent) -> bool:
    words, where = event.action.replace("_", " "), f" from {event.address}" if event.address else ""
    if event.action == LOCK_OUT:
        # Whoever guesses names makes one alert, not one for each.
        name = event.subject_name or NOBODY
        return raise_alert(Kind.LOCK_OUT, name[:80], f"Log-ins as {name}{where} are locked for a time.")
    text = f"{event.username}{where}: {words}, {event.subject_type.partition('.')[2]} {event.subject_name}."
    return raise_once(Kind.ACCESS_CHANGED, str(event.pk), f"{text} {event.note}".strip())
