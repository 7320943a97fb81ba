"""Makes the views of lists that operators save by name, and the permission to share them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [("players", "0024_list_columns")]
    operations = [
        migrations.AlterModelOptions(
            name="operator",
            options={
                "default_permissions": ("view",),
                "permissions": [
                    ("manage_operators", "Can make, change and deactivate operators"),
                    ("manage_roles", "Can give and take roles"),
                    ("share_views", "Can share views of lists"),
                ],
                "verbose_name": "operator",
            },
        ),
        migrations.CreateModel(
            name="ListView",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("list", models.CharField(db_collation="C", max_length=60)),
                ("name", models.CharField(db_collation="C", max_length=60)),
                ("is_shared", models.BooleanField(default=False)),
                ("params", models.JSONField()),
                ("made_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "view of a list",
                "verbose_name_plural": "views of lists",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_shared", False)),
                        fields=("operator", "list", "name"),
                        name="own_view_once_per_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_shared", True)),
                        fields=("list", "name"),
                        name="shared_view_once_per_name",
                    ),
                ],
            },
        ),
    ]
