"""A permission of its own for the statement of a player as a file or on paper."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("players", "0021_player_notes")]
    operations = [
        migrations.AlterModelOptions(
            name="player",
            options={
                "default_permissions": ("view",),
                "permissions": [
                    ("change_player_status", "Can change the status of players"),
                    ("mark_test_player", "Can mark test players"),
                    ("export_player", "Can export and print the statement of a player"),
                ],
            },
        )
    ]
