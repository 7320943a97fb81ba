#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from lib.background import stand_back

# These read for minutes, beside the calls, and nobody waits for them.
LONG = {
    "audit_ledger",
    "backup",
    "daily_totals",
    "export_audit_trail",
    "export_journal",
    "fold_figures",
    "make_checkpoint",
    "verify_checkpoint",
}

if __name__ == "__main__":
    if LONG.intersection(sys.argv[1:2]):
        stand_back()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)
