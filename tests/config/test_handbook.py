"""The operators' handbook says what to do about each alert, and has its pictures."""

import re
from pathlib import Path

from tests.browser.handbook_pictures import SHOWN
from wallet.admin.alert_meanings import MEANINGS
from wallet.models import Alert

HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
PICTURE = re.compile(r"!\[[^\]]+\]\(pictures/([\w-]+)\.png\)")
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def test_handbook__says_what_to_do_about_each_alert() -> None:
    _, _, alerts = HANDBOOK.read_text().partition("\n## Alerts\n")
    alerts, _, _ = alerts.partition("\n## ")
    head, *rows = ROW.findall(alerts)
    assert head == "alert"
    assert sorted(rows) == sorted(str(MEANINGS[kind][0]) for kind in Alert.Kind)


def test_handbook__shows_every_picture_that_is_taken_of_it() -> None:
    taken = {picture.stem for picture in HANDBOOK.parent.joinpath("pictures").iterdir()}
    assert taken == set(PICTURE.findall(HANDBOOK.read_text())) == {picture.name for picture in SHOWN}
