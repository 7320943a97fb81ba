"""Once installed functions for payments; all functions are installed after every migrate (wallet/apps.py)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallet", "0005_payment_types")]
