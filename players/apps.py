"""Who may speak: games, credentials, players and their sessions."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules, import_string

from lib.backoffice.bulk_reports import REPORTING
from lib.backoffice.kept_choices import KEEPING
from lib.backoffice.recorded_acts import RECORDING
from lib.sql_functions import install_functions, is_migrated

FUNCTIONS = sorted((Path(__file__).parent / "sql").glob("*.sql"))


def install_clock_and_guards(*, using: str, **kwargs: Any) -> None:
    """Installs the platform's clock and what the guards' triggers do; before the wallet's, in the order of
    INSTALLED_APPS.
    """
    if is_migrated("players", using):
        install_functions(FUNCTIONS, using)


class PlayersConfig(AppConfig):
    name = "players"

    def ready(self) -> None:
        # Models are there only now.
        from players.audit_trail.recorder import AuditTrail
        from players.bulk_reports import OwnReports
        from players.lists.keeper import OwnChoices

        RECORDING.use(AuditTrail())
        KEEPING.use(OwnChoices())
        REPORTING.use(OwnReports())
        # Each app registers its own kinds (players/approvals/kinds.py), which need models.
        autodiscover_modules("approvals")
        post_migrate.connect(install_clock_and_guards, sender=self)
        # They need models, which are not there yet while this module is imported.
        user_logged_in.connect(import_string("players.logins.sessions.begin"))
        user_logged_out.connect(import_string("players.logins.sessions.log_out"))
