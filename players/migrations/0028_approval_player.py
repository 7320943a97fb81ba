"""A request has the player whose row it is about, so that the player's page finds it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # Rows of before get theirs from the tables of the parts above (payments, 0016).
    dependencies = [("players", "0027_launch_test_session")]
    operations = [
        migrations.AddField(
            "approval",
            "player",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="players.player",
            ),
        ),
        migrations.AddIndex(
            "approval",
            models.Index(
                fields=["player", "-id"],
                name="approval_by_player",
                condition=models.Q(player__isnull=False),
            ),
        ),
    ]
