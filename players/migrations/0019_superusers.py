"""Superusers are made by whoever has the address of the database's owner: triggers refuse it to others."""

from django.db import migrations

# A trigger needs its function to exist; what that does is installed after every migrate
# (players/sql/guards.sql).
TRIGGERS = """
CREATE FUNCTION superusers_are_the_owners() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;

CREATE TRIGGER new_superuser_is_the_owners BEFORE INSERT ON players_operator
FOR EACH ROW WHEN (NEW.is_superuser) EXECUTE FUNCTION superusers_are_the_owners();
CREATE TRIGGER superuser_is_the_owners BEFORE UPDATE ON players_operator
FOR EACH ROW WHEN (OLD.is_superuser <> NEW.is_superuser) EXECUTE FUNCTION superusers_are_the_owners();
"""


class Migration(migrations.Migration):
    dependencies = [("players", "0018_audit_links")]
    operations = [
        migrations.RunSQL(
            TRIGGERS,
            reverse_sql="DROP TRIGGER new_superuser_is_the_owners ON players_operator; "
            "DROP TRIGGER superuser_is_the_owners ON players_operator; "
            "DROP FUNCTION superusers_are_the_owners()",
        )
    ]
