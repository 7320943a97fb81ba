"""The bytes of files are kept for a time only."""

from datetime import timedelta

import pytest
from django.conf import settings

from lib.clock import now
from payments.models import ReconciliationFile, ReconciliationPart
from tests.support.callers import PlayerSession
from tests.support.old_ids import old_id
from tests.support.reconciled import game_source
from wallet.job_runs import Run
from wallet.retention import purge_expired

State = ReconciliationFile.State
HOUR = timedelta(hours=1)
KEPT = timedelta(days=settings.RECONCILIATION_DAYS)


@pytest.mark.parametrize(
    ("age", "state", "is_cleared"),
    [
        (KEPT + HOUR, State.DONE, True),
        (KEPT - HOUR, State.DONE, False),
        (KEPT + HOUR, State.ARRIVING, True),
        (KEPT + HOUR, State.FAILED, True),
        (KEPT + HOUR, State.WAITING, True),
        (KEPT + HOUR, State.READING, False),
        (KEPT + HOUR, State.SEARCHING, False),
        (KEPT + HOUR, State.ENDING, False),
    ],
)
def test_parts__are_cleared_if_their_file_is_old_and_not_being_read(
    player_session: PlayerSession, age: timedelta, state: str, is_cleared: bool
) -> None:
    began = now() - age
    file = ReconciliationFile.objects.create(
        source=game_source(player_session.game),
        name="day.csv",
        size=2,
        arrived=2,
        began_at=began,
        state=state,
        uploaded_by="test",
    )
    ReconciliationPart.objects.create(id=old_id(began), file=file, number=1, data=b"id")
    purge_expired(Run("purge_expired"))
    assert file.parts.exists() is not is_cleared
    # No worker goes on with it when other tests have files of their own.
    ReconciliationFile.objects.filter(pk=file.pk).update(state=State.FAILED)
