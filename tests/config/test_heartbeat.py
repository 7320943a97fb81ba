"""The thread of a web process that leaves signs of life also writes down what was counted."""

from unittest.mock import patch

from django.db import OperationalError

from config.heartbeat import Heartbeat, write_counts
from players.access.answer_counts import ANSWER_COUNTS, Key
from players.models import AnswerCount
from tests.support.callers import make_party


def test_heartbeat__writes_counts_down_when_the_process_ends() -> None:
    game = make_party().game
    with patch.object(Heartbeat, "beat"):
        heartbeat = Heartbeat(every=60.0)
        heartbeat.start()
        ANSWER_COUNTS.note(Key(game.pk, "withdraw", 104))
        heartbeat.end(seconds=20.0)
    assert AnswerCount.objects.get(game=game).times == 1


def test_counts__that_cannot_be_written_are_no_outage() -> None:
    game = make_party().game
    ANSWER_COUNTS.note(Key(game.pk, "withdraw", 104))
    with patch("players.access.answer_counts.add", side_effect=OperationalError):
        write_counts()
    assert not AnswerCount.objects.filter(game=game).exists()
    write_counts()
    assert AnswerCount.objects.get(game=game).times == 1
