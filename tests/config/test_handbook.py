"""The operators' handbook says what to do about each alert, and has its pictures."""

import re
from pathlib import Path

from tests.browser.handbook_pictures import SHOWN
from wallet.admin.alert_meanings import MEANINGS
from wallet.models import Alert

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK, README = ROOT / "docs" / "operators.md", ROOT / "README.md"
PICTURE = re.compile(r"!\[[^\]]+\]\((?:docs/)?pictures/([\w-]+)\.png\)")
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def test_handbook__says_what_to_do_about_each_alert() -> None:
    _, _, alerts = HANDBOOK.read_text().partition("\n## Alerts\n")
    alerts, _, _ = alerts.partition("\n## ")
    head, *rows = ROW.findall(alerts)
    assert head == "alert"
    assert sorted(rows) == sorted(str(MEANINGS[kind][0]) for kind in Alert.Kind)


def test_documents__show_every_picture_that_is_taken() -> None:
    taken = {picture.stem for picture in HANDBOOK.parent.joinpath("pictures").iterdir()}
    of_handbook = set(PICTURE.findall(HANDBOOK.read_text()))
    assert of_handbook == {picture.name for picture in SHOWN}
    assert set(PICTURE.findall(README.read_text())) == {"lobby", "game"} == taken - of_handbook
