"""How much would be lost if the primary died now.

Rule, where ALERT_STANDBY_LAG is set: no standby has written down all that was committed so many seconds ago.
"""

from datetime import datetime, timedelta

from django.conf import settings

from lib.followers import NearestFollower, nearest_follower
from wallet.alerts import clear_alert, raise_alert
from wallet.models import Alert

Kind = Alert.Kind
SUBJECT = "standbys"


def watch_standbys(since: datetime, at: datetime) -> int:
    """Returns how many alerts are new."""
    if not settings.ALERT_STANDBY_LAG:
        return 0
    if problem := problem_of(nearest_follower(), timedelta(seconds=settings.ALERT_STANDBY_LAG)):
        return raise_alert(Kind.STANDBY_BEHIND, SUBJECT, problem, finding="behind")
    clear_alert(Kind.STANDBY_BEHIND, SUBJECT, reason="A standby has what was answered.")
    return 0


def problem_of(nearest: NearestFollower | None, most: timedelta) -> str:
    """Why more than `most` would be lost; empty if it would not."""
    if nearest is None:
        return "The lag of standbys cannot be seen: grant pg_read_all_stats to the application's role."
    if not nearest.number:
        return "No standby follows the primary: whatever is answered now is lost with it."
    if nearest.lag <= most:
        return ""
    behind = f"{nearest.lag.total_seconds():,.1f} s"
    return f"The nearest standby is {behind} behind: if the primary dies, what it answered since is lost."
