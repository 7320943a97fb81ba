"""`manage.py test_alert_channels`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.support.alert_channels import MAILS, Hook, hook, mails, nobody_waits
from wallet.models import Alert

__all__ = ["hook", "mails", "nobody_waits"]


def run() -> str:
    said = StringIO()
    call_command("test_alert_channels", stdout=said)
    return said.getvalue()


def test_command__tells_everybody_and_raises_no_alert(hook: Hook, mails: list[Any]) -> None:
    before = Alert.objects.count()
    assert run() == f"webhook: sent\n{MAILS[0]}: sent\n{MAILS[1]}: sent\n"
    assert hook.types == ["alert.raised"]
    assert "This is a test" in mails[0].body
    assert Alert.objects.count() == before


def test_command__fails_if_somebody_cannot_be_told(hook: Hook) -> None:
    hook.status = 404
    with pytest.raises(CommandError, match="1 of 1 could not be told"):
        run()


def test_command__fails_if_nobody_is_configured(nobody_waits: None) -> None:
    with pytest.raises(CommandError, match="Nobody hears of alerts"):
        run()
