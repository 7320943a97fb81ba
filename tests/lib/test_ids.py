"""Identifiers in the order of time."""

from datetime import UTC, datetime, timedelta

from lib.ids import first_id_of, new_id


def test_first_id__divides_those_made_before_from_the_others() -> None:
    before = datetime.now(UTC)
    one = new_id()
    assert first_id_of(before) <= one < first_id_of(before + timedelta(minutes=1))
