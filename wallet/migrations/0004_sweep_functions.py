"""Once installed functions for sweeps; all functions are installed after every migrate (wallet/apps.py)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallet", "0003_sweeps")]
