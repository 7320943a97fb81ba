"""Every package that production installs has a licence that was agreed to, and stands in the page."""

import pytest

from tests.release.licences import PAGE, is_agreed, licensed


def test_licences__page_lists_what_is_locked() -> None:
    # Each Python needs a few packages that others do not.
    listed = PAGE.read_text()
    missing = [one for one in licensed() if f"| {one.package} | {one.licence} |" not in listed]
    assert missing == [], "run: python -m tests.release.licences"


def test_licences__all_are_agreed() -> None:
    assert [one for one in licensed() if not is_agreed(one.licence)] == []


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0-or-later", "", "Proprietary"])
def test_licences__others_are_refused(licence: str) -> None:
    assert not is_agreed(licence)
