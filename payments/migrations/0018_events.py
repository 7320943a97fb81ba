"""What happens to orders is among the events that others are told of."""

from django.db import migrations

# The text of today is installed after every migrate (payments/sql/events.sql).
TOLD = """
    CREATE FUNCTION event_of_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER order_event_is_told AFTER INSERT ON payments_orderevent
    FOR EACH ROW EXECUTE FUNCTION event_of_order();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0017_delivery_traceparent"), ("wallet", "0033_events")]
    operations = [migrations.RunSQL(TOLD, reverse_sql=migrations.RunSQL.noop)]
