"""Django's check, and besides what the platform lacks in operators and at its standby: data, not code."""

from typing import Any

from django.core.management.commands.check import Command as DjangoCheck

from config.second_person import lacks
from config.standby_check import standby_lacks
from lib.database import FAILURES, drop_unfit_connection


class Command(DjangoCheck):
    """Says it in words and fails for it never: a platform is set up by one person first."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        super().handle(*app_labels, **options)
        try:
            sentences = lacks()
        except FAILURES as problem:
            drop_unfit_connection(problem)
            sentences = ["The database could not be asked whether acts that need two people have two."]
        for sentence in (*sentences, *standby_lacks()):
            self.stderr.write(self.style.WARNING(sentence))
