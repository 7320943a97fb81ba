"""Makes the notes about players, which triggers keep as they are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lib.ids

GUARDS = """
CREATE TRIGGER player_note_is_append_only BEFORE UPDATE OR DELETE ON players_playernote
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER player_note_is_never_truncated BEFORE TRUNCATE ON players_playernote
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("players", "0020_id_ends")]
    operations = [
        migrations.CreateModel(
            name="PlayerNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                ("at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="players.player",
                    ),
                ),
            ],
            options={
                "verbose_name": "note about a player",
                "verbose_name_plural": "notes about players",
                "default_permissions": ("view",),
                "permissions": [("add_note", "Can add notes about players")],
                "indexes": [models.Index(fields=["player", "-id"], name="player_note_by_player")],
            },
        ),
        migrations.RunSQL(GUARDS, reverse_sql=migrations.RunSQL.noop),
    ]
