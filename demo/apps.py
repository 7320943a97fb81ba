"""The demonstration, an app only where DEMO is on."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from demo.clock.ids import LEAD
from lib.ids import SOURCE
from lib.sql_functions import install_functions, is_migrated

FUNCTIONS = sorted((Path(__file__).parent / "sql").glob("*.sql"))


def install_clock(*, using: str, **kwargs: Any) -> None:
    """Puts the demonstration's clock in the place of the plain one, which each migrate installs first.

    So a migrate without DEMO puts the plain one back.
    """
    if is_migrated("demo", using) and is_migrated("wallet", using):
        install_functions(FUNCTIONS, using)


class DemoConfig(AppConfig):
    name = "demo"

    def ready(self) -> None:
        # After the ledger's functions, and before rights are granted: this app has no models, and so no
        # signal of its own.
        post_migrate.connect(install_clock, sender=apps.get_app_config("wallet"))
        SOURCE.nanoseconds = LEAD.nanoseconds
