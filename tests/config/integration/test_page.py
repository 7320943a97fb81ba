"""Integration health: one page for each game, and one for all."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from config.roles import ROLES
from lib.backoffice.formatting import NOTHING
from lib.clock import now
from players.access.answer_counts import ANSWER_COUNTS
from players.models import AnswerCount, Game
from tests.support.admin_pages import get, operator, page, queries, signed_in
from tests.support.callers import Callers, PlayerSession, make_party, open_session, unique
from wallet.models import CallHour, CallLogReading, IntegrationStep

OVERVIEW = "/admin/integration/"


@pytest.fixture
def session(callers: Callers) -> PlayerSession:
    """A player's session in a game of its own."""
    return open_session(make_party(), callers.player())


@pytest.fixture
def reader(database: None) -> Client:
    return signed_in(operator("players.view_game"))


def words(client: Client, place: str) -> str:
    """What a page says below its head, without its marks."""
    [content] = re.findall(r'<div id="content".*', get(client, place), re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())


def health(client: Client, game: Game) -> str:
    return words(client, f"{OVERVIEW}{game.slug}/")


def called(game: Game, endpoint: str, bucket: int, number: int, at: datetime) -> None:
    CallHour.objects.create(
        game=game,
        hour=at.replace(minute=0, second=0, microsecond=0),
        endpoint=endpoint,
        bucket=bucket,
        calls=number,
        refused=1,
        repeats=2,
        late=3,
    )


@pytest.mark.parametrize("role", ROLES)
def test_page__is_open_to_whoever_sees_games(session: PlayerSession, role: str) -> None:
    one = operator()
    one.groups.set(Group.objects.filter(name=role))
    assert "This game has not called yet" in health(signed_in(one), session.game)


def test_page__is_open_to_nobody_else(session: PlayerSession) -> None:
    other = signed_in(operator("wallet.view_apicall"))
    for place in (OVERVIEW, f"{OVERVIEW}{session.game.slug}/"):
        assert other.get(place).status_code == 403
        assert Client().get(place).status_code == 302
    assert signed_in(operator("players.view_game")).get(f"{OVERVIEW}no-such-game/").status_code == 404


def test_page__of_a_game_that_never_called_says_what_comes_first(
    reader: Client, session: PlayerSession
) -> None:
    assert "Its backend has a credential. Launch a test session" in health(reader, session.game)
    bare = Game.objects.create(slug=unique("game"), name="Bare", launch_url="https://game.example/")
    text = health(reader, bare)
    assert "Its backend has no credential: add one" in text
    assert "No refused call of this game was counted in the last 90 days." in text
    assert "No call that names a transaction in the last seven days." in text


def test_page__tells_what_failed_why_and_what_helps(reader: Client, session: PlayerSession) -> None:
    for _ in range(3):
        session.call("withdraw", "w-1", "0.00", txDescription="For Anna")
    session.call("getBalance", token="x")
    session.call("withdraw", unique("mm"), "5.00")
    ANSWER_COUNTS.write()
    text = health(reader, session.game)
    assert "4 calls failed since yesterday; most: withdraw 101 (3)" in text
    assert "Refusals that belong to play, since yesterday: withdraw 104 (1)." in text
    assert "withdraw 101 Invalid request 3 3" in text
    assert "Read errorDescription: it names the field." in text
    assert '"mmTransactionId": "w-1", "amount": {"amount": 0.00, "currencyCode": "XAG"}' in text
    assert session.token not in text
    assert "Anna" not in text
    marked = get(reader, f"{OVERVIEW}{session.game.slug}/")
    assert 'href="/api/docs/errors/101"' in marked


def test_page__of_a_game_that_does_well_says_what_was_not_tried(
    reader: Client, session: PlayerSession
) -> None:
    session.done("verifySession")
    ANSWER_COUNTS.write()
    text = health(reader, session.game)
    assert "Nothing is wrong, but not everything has been tried" in text
    assert re.search(r"done A session was verified \(verifySession\)\. \d{4}-\d\d-\d\d", text)
    assert f"to do A balance was read (getBalance). {NOTHING} Have the game show the balance" in text


def test_page__has_times_of_a_day_and_of_a_week(reader: Client, session: PlayerSession) -> None:
    at = now()
    called(session.game, "withdraw", 0, 100, at)
    called(session.game, "withdraw", 1, 300, at - timedelta(days=3))
    called(session.game, "withdraw", 1, 500, at - timedelta(days=8))
    assert "withdraw 100 0.5 ms 1.0 ms 400 1.5 ms 2.5 ms 2 4 6" in health(reader, session.game)


def test_page__says_that_calls_are_not_summed_up_yet(reader: Client, session: PlayerSession) -> None:
    for ago, is_behind in ((timedelta(minutes=29), False), (timedelta(minutes=31), True)):
        CallLogReading.objects.update_or_create(id=1, defaults={"up_to": now() - ago})
        assert ("The call log is still being summed up" in health(reader, session.game)) is is_behind


def test_page__asks_no_more_for_much(reader: Client, session: PlayerSession) -> None:
    place, at = f"{OVERVIEW}{session.game.slug}/", now()
    few = len(queries(reader, place))
    for code in (101, 102, 103, 104, 106, 429):
        for days in range(5):
            AnswerCount.objects.create(
                game=session.game,
                day=(at - timedelta(days=days)).date(),
                endpoint="withdraw",
                code=code,
                times=1,
                first_seen_at=at,
                last_seen_at=at,
                example="{}",
            )
    for hours in range(30):
        called(session.game, "deposit", hours % 3, 1, at - timedelta(hours=hours))
    for name in IntegrationStep.Name:
        IntegrationStep.objects.create(game=session.game, name=name, first_seen_at=at, last_seen_at=at)
    assert len(queries(reader, place)) == few


def test_overview__has_the_games_that_fail_first(reader: Client, session: PlayerSession) -> None:
    at = now()
    quiet = make_party().game
    AnswerCount.objects.create(
        game=session.game,
        day=at.date(),
        endpoint="withdraw",
        code=101,
        times=10**9,
        first_seen_at=at,
        last_seen_at=at,
    )
    called(session.game, "withdraw", 0, 5, at)
    text = get(reader, OVERVIEW)
    slugs = re.findall(r'href="/admin/integration/([^"/]+)/"', text)
    assert slugs[0] == session.game.slug
    assert quiet.slug in slugs
    assert "failures 1,000,000,000 withdraw 101 5" in words(reader, OVERVIEW)


def test_game__leads_to_its_health(reader: Client, session: PlayerSession) -> None:
    assert f'href="{OVERVIEW}{session.game.slug}/"' in get(reader, page(Game, session.game))
