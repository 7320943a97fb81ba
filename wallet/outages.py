"""Signs of life, and the time after an outage of ours in which nothing becomes due (contract 2.4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from lib.backoffice.languages import _
from lib.clock import in_words, now
from wallet.models import Outage, Pulse

# How long no web process may be heard of before games may have called in vain.
SILENCE = timedelta(minutes=5)
GRACE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is due at present, and until when; None while the outage lasts."""

    reason: str
    until: datetime | None


def leave_pulse(part: str) -> None:
    """Writes down that `part` (a `Pulse.Part`) lives.

    The first sign of a web process after a silence records the outage.
    """
    Pulse.objects.get_or_create(part=part, defaults={"at": now()})
    with transaction.atomic():
        pulse = Pulse.objects.select_for_update().get(part=part)
        at = now()
        if part == Pulse.Part.WEB and at - pulse.at > SILENCE:
            Outage.objects.create(began_at=pulse.at, ended_at=at)
        # Also if the clock was put back: until it reached the old sign again, no outage would be seen.
        Pulse.objects.filter(part=part).update(at=at)


def present_pause(at: datetime) -> Pause | None:
    """What keeps sweeps from settling at the moment `at`, or None.

    A platform that has never served has had no outage.
    """
    pulse = Pulse.objects.filter(part=Pulse.Part.WEB).first()
    if pulse and at - pulse.at > SILENCE:
        said = _("no web process has left a sign of life since {at}").format(at=in_words(pulse.at))
        return Pause(said, None)
    # One that is yet to come is of a clock that was put forward, and back again.
    outage = Outage.objects.filter(ended_at__lte=at).order_by("-ended_at").first()
    if outage and at - outage.ended_at < GRACE:
        said = _("games could not reach us from {begin} to {end}")
        begin, end = in_words(outage.began_at), in_words(outage.ended_at)
        return Pause(said.format(begin=begin, end=end), outage.ended_at + GRACE)
    return None
