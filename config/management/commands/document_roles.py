"""Writes the table of roles into docs/operators.md, which a test compares with it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.roles_table import with_roles

DOCUMENT = settings.BASE_DIR / "docs" / "operators.md"


class Command(BaseCommand):
    help = "Writes the table of roles (config/roles.py) into docs/operators.md."

    def handle(self, *args: Any, **options: Any) -> None:
        DOCUMENT.write_text(with_roles(DOCUMENT.read_text()))
        self.stdout.write(f"{DOCUMENT.name} is written.")
