"""The form of a game.

How it is asked about unfinished transactions, with a password that is only ever written.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from players.models import Approval, AuditEvent, Game
from players.operations import query_credential, set_query_password
from tests.support.admin_pages import address, get, operator, page, saved, signed_in, with_reason
from tests.support.callers import make_party, unique

PASSWORD = "a very: secret päss"
URL = "https://state.example/v1"


def form(game: Game | None = None, **changes: str) -> dict[str, str]:
    """What a browser sends; `changes` is what somebody wrote into it."""
    given = {
        "name": "New",
        "launch_url": "https://new.example/",
        "is_active": "on",
        "pending_hours": "",
        "unanswered_policy": "expire",
    }
    asking = {
        "query_url": game.query_url if game else "",
        "query_username": game.query_username if game else "",
        "query_password": "",
    }
    return with_reason({"slug": unique("g"), **given, **asking} | changes)


@pytest.fixture(autouse=True)
def no_other_password() -> Iterator[None]:
    """A password is one game's: that of the game before is forgotten."""
    yield
    Game.objects.exclude(sealed_query_password="").update(sealed_query_password="")


@pytest.fixture
def asked() -> Game:
    """A game with a URL, a username and a password."""
    game = make_party(query_url=URL, query_username="quantum").game
    set_query_password(game, PASSWORD)
    return game


def sent(game: Game) -> tuple[str, str] | None:
    """The username and the password that the game is asked with."""
    credential = query_credential(Game.objects.get(pk=game.pk))
    return (credential.username, credential.password) if credential else None


def everything_said(client: Client, game: Game) -> str:
    places = [page(Game, game), address(Game), address(Game, "history", game.pk), "/admin/"]
    return "".join(get(client, place) for place in places) + str(
        list(AuditEvent.objects.values_list("note", "before", "after"))
    )


def test_game_password__is_set_with_a_new_game_and_shown_nowhere(
    client: Client, second: Client, caplog: Any
) -> None:
    given = form(query_url=URL, query_username="quantum", query_password=PASSWORD)
    saved(client, second, address(Game, "add"), given)
    game = Game.objects.get(slug=given["slug"])
    assert (game.query_url, sent(game)) == (URL, ("quantum", PASSWORD))
    said = everything_said(client, game)
    assert (PASSWORD in said, game.sealed_query_password in said, PASSWORD in caplog.text) == (
        False,
        False,
        False,
    )
    assert "A password is set; it is never shown." in said


def test_game_password__is_kept_if_left_empty(client: Client, second: Client, asked: Game) -> None:
    saved(client, second, page(Game, asked), form(asked, name="Renamed", query_username="other"))
    assert (Game.objects.get(pk=asked.pk).name, sent(asked)) == ("Renamed", ("other", PASSWORD))


def test_game_password__is_replaced_and_removed(client: Client, second: Client, asked: Game) -> None:
    saved(client, second, page(Game, asked), form(asked, query_password=" new "))
    assert sent(asked) == ("quantum", " new ")
    saved(client, second, page(Game, asked), form(asked, forget_query_password="on"))
    assert sent(asked) == ("quantum", "")
    text = get(client, page(Game, asked))
    assert "No password is set." in text
    assert "Remove the query password" not in text


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"query_url": ""}, "no URL to send it to: enter the URL, or remove the password"),
    (
        {"query_url": "", "query_password": "x"},
        "no URL to send it to: enter the URL, or remove the password",
    ),
    ({"query_url": "", "forget_query_password": "on"}, "There is a query username but no URL to send it to."),
    (
        {"query_password": "x", "forget_query_password": "on"},
        "Enter a new password or remove the present one, not both.",
    ),
    ({"query_username": "with:colon"}, "HTTP Basic allows no colon"),
    ({"query_username": "a\x1fb"}, "HTTP Basic allows no colon and no control characters"),
    ({"query_password": "ü" * 129}, "At most 256 bytes."),
    ({"query_url": "ftp://state.example/"}, "Enter a valid URL."),
    ({"query_url": "http://state.example/v1"}, "enter it again, or remove it"),
    ({"query_url": "https://evil.example/v1"}, "enter it again, or remove it"),
    ({"query_url": "https://state.example:8443/v1"}, "enter it again, or remove it"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_game_form__misfit_is_refused_and_changes_nothing(
    client: Client, asked: Game, changes: dict[str, str], words: str
) -> None:
    response = client.post(page(Game, asked), form(asked, **changes))
    text = response.content.decode()
    assert response.status_code == 200
    assert words in text
    assert PASSWORD not in text
    assert (Game.objects.get(pk=asked.pk).query_url, sent(asked)) == (URL, ("quantum", PASSWORD))


def test_game_form__does_not_show_the_password_after_a_refusal(client: Client) -> None:
    text = client.post(address(Game, "add"), form(query_password="do-not-show-me")).content.decode()
    assert "no URL to send it to" in text
    assert "do-not-show-me" not in text


def test_game_password__is_kept_if_only_the_url_path_changes(
    client: Client, second: Client, asked: Game
) -> None:
    saved(client, second, page(Game, asked), form(asked, query_url="https://state.example/v2?x=1"))
    assert sent(asked) == ("quantum", PASSWORD)


def test_game_password__must_be_retyped_if_the_host_changes(
    client: Client, second: Client, asked: Game
) -> None:
    saved(
        client,
        second,
        page(Game, asked),
        form(asked, query_url="https://other.example/", query_password="another"),
    )
    assert sent(asked) == ("quantum", "another")


def test_game_form__game_can_be_queried_without_a_credential(client: Client, second: Client) -> None:
    given = form(query_url=URL)
    saved(client, second, address(Game, "add"), given)
    game = Game.objects.get(slug=given["slug"])
    assert (game.query_url, sent(game)) == (URL, None)


def test_game_password__reader_sees_only_whether_there_is_one(asked: Game) -> None:
    reader = signed_in(operator("players.view_game"))
    text = get(reader, page(Game, asked))
    assert (
        "password_state" in text or "Query password" in text,
        'type="password"' in text,
        asked.sealed_query_password in text,
    ) == (True, False, False)
    assert reader.post(page(Game, asked), form(asked, query_password="mine")).status_code == 403
    assert sent(asked) == ("quantum", PASSWORD)


def test_game_list__says_what_happens_when_something_is_due(client: Client, asked: Game) -> None:
    make_party(unanswered_policy="hold")
    text = get(client, f"{address(Game)}?q={asked.slug}")
    assert "queried" in text
    assert "the default" in text


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://g\u0430me.example/", "xn--gme-6cd.example"),
        ("https://game.example@evil.example/", "evil.example"),
    ],
)
def test_game__whose_url_looks_like_anothers_says_to_which_server_it_leads(
    client: Client, second: Client, url: str, server: str
) -> None:
    game = make_party().game
    given = form(game, slug=game.slug, name=game.name, launch_url=url)
    assert client.post(page(Game, game), given).status_code == 302
    approval = Approval.objects.get(pk=given["approval_id"])
    text = get(second, page(Approval, approval, "approve"))
    assert f"Launch url leads to the server {server}." in text
