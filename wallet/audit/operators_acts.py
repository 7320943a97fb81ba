"""The hash chain of operators' acts is kept up, and a person is told if it is not."""

from datetime import timedelta

from lib.clock import in_words, now
from players.audit_trail.chain import link_events, unlinked_since
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import Run
from wallet.models import Alert

# As long as an act may be in no link: several runs of the job.
PATIENCE = timedelta(minutes=5)
SUBJECT = "audit trail"


def link_acts(run: Run) -> None:
    """Links what was recorded since the last run."""
    run.done = link_events()
    tell_unlinked()


def tell_unlinked() -> None:
    """Raises the alert about acts that wait for too long, or ends it. The rolling audit asks as well."""
    oldest = unlinked_since()
    if oldest is None or oldest > now() - PATIENCE:
        clear_alert(Alert.Kind.ACTS_NOT_LINKED, SUBJECT, reason="All acts are linked.")
    else:
        text = f"The oldest act that is in no link was recorded at {in_words(oldest)}."
        raise_alert(Alert.Kind.ACTS_NOT_LINKED, SUBJECT, text)
