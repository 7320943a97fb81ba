"""A block that an operator or the front had set is there again once a self-exclusion ends."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("players", "0030_platform_switches")]
    operations = [
        migrations.AddField(
            "player",
            "block_beneath",
            models.CharField(
                blank=True,
                choices=[("front", "web front"), ("operator", "operator"), ("platform", "the platform")],
                db_default="",
                max_length=8,
            ),
        ),
    ]
