"""An exclusion that two operators have lifted ends once the player confirms it, after a waiting time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("players", "0031_block_beneath")]
    operations = [
        migrations.AddField("player", "liftable_at", models.DateTimeField(blank=True, null=True)),
    ]
