"""Identifiers in the order of time."""

from datetime import UTC, datetime, timedelta

from lib.ids import id_at, new_id


def test_first_id__divides_those_made_before_from_the_others() -> None:
    before = datetime.now(UTC)
    one = new_id()
    assert id_at(before) <= one < id_at(before + timedelta(minutes=1))
