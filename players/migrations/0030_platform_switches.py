"""What one operator stops for everybody at once; everything is on at first."""

from typing import Any

from django.db import migrations, models

import lib.ids


def make_switches(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("players", "PlatformSwitch").objects.using(schema_editor.connection.alias)
    for name in ("gaming", "openings"):
        rows.create(name=name)


class Migration(migrations.Migration):
    dependencies = [("players", "0029_answer_counts")]
    operations = [
        migrations.AlterField(
            model_name="game",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="If off, nobody can launch it or withdraw into it. What has begun is settled, and "
                "winnings are paid.",
            ),
        ),
        migrations.CreateModel(
            name="PlatformSwitch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        choices=[("gaming", "gaming"), ("openings", "new transactions")],
                        db_collation="C",
                        max_length=8,
                        unique=True,
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="is on")),
                ("switched_at", models.DateTimeField(blank=True, null=True)),
                ("switched_by", models.CharField(blank=True, max_length=80)),
                ("reason", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "verbose_name": "platform switch",
                "verbose_name_plural": "platform switches",
                "ordering": ["name"],
                "permissions": [
                    ("stop_platform", "Can stop gaming, and new transactions, for everybody"),
                ],
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name__in", ["gaming", "openings"])),
                        name="platform_switch_is_known",
                    )
                ],
            },
        ),
        migrations.RunPython(make_switches, migrations.RunPython.noop),
    ]
