"""An operator's name is ASCII: one that looks like another's is nobody's."""

from django.db import migrations

# Their function's text is installed after every migrate (players/sql/guards.sql). Names of before stay.
TRIGGERS = """
CREATE FUNCTION refuse_operator_name() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$;

CREATE TRIGGER operator_name_is_ascii BEFORE INSERT ON players_operator
FOR EACH ROW WHEN (NEW.username !~ '^[A-Za-z0-9@.+_-]+$') EXECUTE FUNCTION refuse_operator_name();
CREATE TRIGGER operator_new_name_is_ascii BEFORE UPDATE ON players_operator
FOR EACH ROW WHEN (OLD.username <> NEW.username AND NEW.username !~ '^[A-Za-z0-9@.+_-]+$')
EXECUTE FUNCTION refuse_operator_name();
"""


class Migration(migrations.Migration):
    dependencies = [("players", "0008_nickname_search")]
    operations = [
        migrations.AlterModelManagers(name="operator", managers=[]),
        migrations.RunSQL(
            TRIGGERS,
            reverse_sql="DROP TRIGGER operator_name_is_ascii ON players_operator; "
            "DROP TRIGGER operator_new_name_is_ascii ON players_operator; "
            "DROP FUNCTION refuse_operator_name()",
        ),
    ]
