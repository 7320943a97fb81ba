import json
from argparse import Namespace
from pathlib import Path

import pytest

from clients.kit.expectations import Unusable
from clients.kit.logins import read_logins
from clients.kit.parties import Login

GAME, OTHER, FRONT = Login("g", "p:1", "stars"), Login("o", "p2", "moon"), Login("f", "p3")
FILE = {
    "url": "http://127.0.0.1:8000",
    "platform": {"username": "f", "password": "p3"},
    "games": [
        {"slug": "stars", "username": "g", "password": "p:1", "more": 1},
        {"slug": "moon", "username": "o", "password": "p2"},
    ],
}


def options(**given: object) -> Namespace:
    return Namespace(**{"game": None, "other_game": None, "platform": None, "credentials": None, **given})


def test_read_logins__from_options() -> None:
    read = read_logins(options(game="stars:g:p:1", other_game="moon:o:p2", platform="f:p3"), {})
    assert read == {"game": GAME, "other_game": OTHER, "platform": FRONT}


def test_read_logins__a_game_of_the_file_is_chosen_by_its_slug(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    games = [{"slug": slug, "username": f"{slug}-backend", "password": "p"} for slug in ("a", "b", "c")]
    file.write_text(json.dumps({"games": games, "platform": {"username": "front", "password": "p"}}))
    read = read_logins(options(game="c", other_game="a", credentials=file), {})
    assert (read["game"].username, read["other_game"].username) == ("c-backend", "a-backend")
    with pytest.raises(Unusable, match="--game must be"):
        read_logins(options(game="d", credentials=file), {})


def test_read_logins__from_the_environment() -> None:
    environment = {
        "WALLET_KIT_GAME": "stars:g:p:1",
        "WALLET_KIT_OTHER_GAME_PASSWORD": "p2",
        "WALLET_KIT_PLATFORM": "f",
        "WALLET_KIT_PLATFORM_PASSWORD": "p3",
    }
    read = read_logins(options(other_game="moon:o"), environment)
    assert read == {"game": GAME, "other_game": OTHER, "platform": FRONT}


def test_read_logins__from_a_file_unless_an_option_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_text(json.dumps(FILE))
    read = read_logins(options(credentials=file, platform="x:y"), {})
    assert read == {"game": GAME, "other_game": OTHER, "platform": Login("x", "y")}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "No credential for --game"),
        ({"game": "stars:g"}, "--game must be SLUG:USERNAME:PASSWORD"),
        ({"game": "stars"}, "--game must be SLUG:USERNAME:PASSWORD"),
        ({"game": "a:b:c", "other_game": "a:d:e", "platform": "f:p"}, "must be two games"),
        ({"credentials": Path("/nowhere")}, "/nowhere cannot be read"),
    ],
)
def test_read_logins__says_what_is_missing(given: dict[str, object], told: str) -> None:
    with pytest.raises(Unusable, match=told):
        read_logins(options(**given), {})


@pytest.mark.parametrize("content", ["{", "[]", '{"games": []}', '{"games": [{}, {}], "platform": {}}'])
def test_read_logins__refuses_a_file_of_another_form(content: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(content)
    with pytest.raises(Unusable, match="must hold JSON of the form"):
        read_logins(options(credentials=file), {})
