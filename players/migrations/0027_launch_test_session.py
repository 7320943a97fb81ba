"""A permission of its own for sessions of test players that operators launch."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("players", "0026_bulk_reports")]
    operations = [
        migrations.AlterModelOptions(
            name="player",
            options={
                "default_permissions": ("view",),
                "permissions": [
                    ("change_player_status", "Can change the status of players"),
                    ("mark_test_player", "Can mark test players"),
                    ("launch_test_session", "Can launch sessions of test players"),
                    ("export_player", "Can export and print the statement of a player"),
                ],
            },
        )
    ]
