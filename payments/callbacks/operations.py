"""What a person does about a callback that could not be acted on."""

from lib.clock import now
from payments.models import Callback


def resolve_callback(callback: Callback, *, actor: str, reason: str) -> bool:
    """Takes a callback off the operators' list. Returns whether that is new.

    It stays as it was received; no money moves.
    """
    open_one = Callback.objects.filter(pk=callback.pk, outcome__in=Callback.TO_LOOK_AT, resolved_at=None)
    return bool(open_one.update(resolved_at=now(), resolved_by=actor[:80], reason=reason[:255]))
