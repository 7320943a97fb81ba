"""The form of a nickname that searches compare."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("players", "0006_what_stays")]
    operations = [
        migrations.AddField(
            "player",
            "nickname_key",
            models.CharField(blank=True, db_collation="C", default="", editable=False, max_length=255),
            preserve_default=False,
        ),
        # Processes of the version before, which go on until they are reloaded, write players without it.
        migrations.RunSQL(
            "ALTER TABLE players_player ALTER COLUMN nickname_key SET DEFAULT ''", migrations.RunSQL.noop
        ),
    ]
