"""Fills the keys of known nicknames, stores these as NFC, and indexes the keys; the platform goes on."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models, transaction

from lib.names import normal_form, search_key

BATCH = 1000
LONGEST = 64


def fill(apps: Any, schema_editor: Any) -> None:
    """In batches, each of which is committed; what is filled already is left alone."""
    players = apps.get_model("players", "Player").objects.using(schema_editor.connection.alias)
    unfilled = players.filter(nickname_key="").exclude(nickname="").order_by("pk")
    last = None
    while rows := list((unfilled.filter(pk__gt=last) if last else unfilled)[:BATCH]):
        last = rows[-1].pk
        with transaction.atomic(using=schema_editor.connection.alias):
            for row in rows:
                name = normal_form(row.nickname)
                stored = name if len(name) <= LONGEST else row.nickname
                # Only while it is the name that was read: the web front may have sent another one.
                players.filter(pk=row.pk, nickname=row.nickname).update(
                    nickname=stored, nickname_key=search_key(stored)
                )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("players", "0007_nickname_key")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        # One that was cut off has left an index that is never used.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS player_by_nickname", migrations.RunSQL.noop),
        AddIndexConcurrently("player", models.Index(fields=["nickname_key"], name="player_by_nickname")),
    ]
