"""A callback that contradicts its order can be accepted as its payment, once."""

from django.db import migrations, models

PERMISSIONS = [
    ("resolve_callback", "Can resolve callbacks"),
    ("accept_callback", "Can accept callbacks as payments"),
    ("read_raw_callback", "Can read callbacks as they came in"),
]
STAYS = """
    CREATE TRIGGER callback_stays_accepted BEFORE UPDATE ON payments_callback
    FOR EACH ROW WHEN (
        OLD.accepted_at IS NOT NULL
        AND (OLD.accepted_at, OLD.accepted_by, OLD.outcome)
            IS DISTINCT FROM (NEW.accepted_at, NEW.accepted_by, NEW.outcome)
    ) EXECUTE FUNCTION refuse_change()
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0012_refused_callbacks")]
    operations = [
        migrations.AlterModelOptions(
            "callback", {"default_permissions": ("view",), "permissions": PERMISSIONS}
        ),
        migrations.AddField("callback", "accepted_at", models.DateTimeField(null=True, blank=True)),
        # The rows that are there keep their place: a default that never changes is no rewriting of the table.
        migrations.AddField(
            "callback", "accepted_by", models.CharField(max_length=80, blank=True, default="")
        ),
        migrations.AlterField("callback", "accepted_by", models.CharField(max_length=80, blank=True)),
        migrations.RunSQL(STAYS, "DROP TRIGGER callback_stays_accepted ON payments_callback"),
    ]
