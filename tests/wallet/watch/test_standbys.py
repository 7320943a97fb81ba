"""People are told if more would be lost with the primary than was agreed."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from lib import followers
from lib.clock import now
from lib.followers import NearestFollower, nearest_follower
from tests.support.callers import unique
from wallet.models import Alert
from wallet.watch import standbys
from wallet.watch.standbys import watch_standbys

# The columns that are read, of standbys with (their flush_lag, seconds since they said something, whether
# they have everything).
ROW = """(SELECT 'streaming' AS state, '0/1'::pg_lsn AS replay_lsn, interval '{lag} s' AS flush_lag,
    clock_timestamp() - interval '{silent} s' AS reply_time,
    CASE WHEN {has_all} THEN pg_current_wal_flush_lsn() ELSE '0/1' END AS flush_lsn)"""
SEEN = "HAVING pg_has_role('pg_read_all_stats', 'usage')"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the primary says of its standbys."""
    real = followers.NEAREST

    def say(*rows: tuple[float, float, bool], is_allowed: bool = True) -> None:
        given = [ROW.format(lag=lag, silent=silent, has_all=has_all) for lag, silent, has_all in rows]
        none = ROW.format(lag=0, silent=0, has_all=True) + " LIMIT 0"
        source = f"({' UNION ALL '.join(given) or none}) AS standbys"
        changed = real.replace("pg_stat_replication", source).replace(SEEN, f"HAVING {is_allowed}")
        assert changed.count("standbys") == 1
        monkeypatch.setattr(followers, "NEAREST", changed)

    return say


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds, for alerts about a subject of this test's own."""
    monkeypatch.setattr(settings, "ALERT_STANDBY_LAG", 10)
    monkeypatch.setattr(standbys, "SUBJECT", unique("standbys"))


@pytest.mark.parametrize(
    ("rows", "count", "lag"),
    [
        ([], 0, 0),
        ([(20, 1, False)], 1, 20),
        # What it had to wait for is over.
        ([(20, 1, True)], 1, 0),
        ([(20, 1, False), (3, 1, False)], 2, 3),
        # It has said nothing for longer than an idle one does: its last word counts no more.
        ([(0.1, 40, False)], 1, 40),
        ([(0.1, 9, False)], 1, 0.1),
    ],
)
def test_nearest__is_what_would_take_over(seen: Any, rows: Any, count: int, lag: float) -> None:
    seen(*rows)
    found = nearest_follower()
    assert found is not None
    assert found.number == count
    assert abs(found.lag - timedelta(seconds=lag)) < timedelta(seconds=5 if lag == 40 else 0.001)


def test_nearest__is_unknown_without_the_right(seen: Any) -> None:
    seen((1, 1, True), is_allowed=False)
    assert nearest_follower() is None


def told() -> list[str]:
    open_ones = Alert.objects.filter(kind="standby_behind", subject=standbys.SUBJECT, resolved_at=None)
    return list(open_ones.values_list("text", flat=True))


def test_standbys__too_far_behind_are_told_until_one_is_near(seen: Any, limit: None) -> None:
    seen((20, 1, False))
    assert [watch_standbys(now(), now()) for _ in range(2)] == [1, 0]
    assert told() == [
        "The nearest standby is 20.0 s behind: if the primary dies, what it answered since is lost."
    ]
    seen((20, 1, False), (3, 1, False))
    assert (watch_standbys(now(), now()), told()) == (0, [])


def test_standbys__of_which_none_follows_are_told(seen: Any, limit: None) -> None:
    seen()
    assert watch_standbys(now(), now()) == 1
    assert told() == ["No standby follows the primary: whatever is answered now is lost with it."]


def test_standbys__that_cannot_be_seen_are_told(seen: Any, limit: None) -> None:
    seen(is_allowed=False)
    assert watch_standbys(now(), now()) == 1
    assert told() == [
        "The lag of standbys cannot be seen: grant pg_read_all_stats to the application's role."
    ]


def test_standbys__that_need_not_follow_are_not_looked_for(seen: Any) -> None:
    seen()
    assert (watch_standbys(now(), now()), told()) == (0, [])


def test_nearest__is_read_from_the_server_itself() -> None:
    """The role of tests may not see it, or nobody follows."""
    assert nearest_follower() in (None, NearestFollower(0, timedelta(0)))
