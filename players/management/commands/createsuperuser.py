"""Makes a superuser, as the database's owner, and writes it into the audit trail."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.management.commands.createsuperuser import Command as DjangoCreateSuperuser
from django.core.management import CommandError
from django.db import IntegrityError

from players.audit_trail.record import Origin, record_act, snapshot
from players.models import Operator

NOT_THE_OWNER = (
    "Only the owner of the database makes superusers. Run it with the owner's address: "
    "DATABASE_URL=$DATABASE_OWNER_URL manage.py createsuperuser"
)


class Command(DjangoCreateSuperuser):
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)  # type: ignore[arg-type]
        parser.add_argument(
            "--if-missing", action="store_true", help="If there is an operator of that name, do nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        operators = Operator.objects.using(options["database"])
        if options["if_missing"] and operators.filter(username=options["username"]).exists():
            return
        superusers = operators.filter(is_superuser=True)
        known = set(superusers.values_list("pk", flat=True))
        try:
            super().handle(*args, **options)
        except IntegrityError as problem:
            if "the owner of the database" not in str(problem):
                raise
            raise CommandError(NOT_THE_OWNER) from problem
        for made in superusers.exclude(pk__in=known):
            origin = Origin.machine("manage.py createsuperuser")
            record_act(origin, action="add_operator", subject=made, after=snapshot(made))
