"""`manage.py conformance`: the kit against the running server, with credentials that end with the run."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clients.kit.parties import Target
from players.models import Credential, Game
from wallet.management.commands import conformance


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The slugs of the games that commands make in the test."""
    slugs: list[str] = []

    def make_game(slug: str) -> Game:
        slugs.append(slug)
        return original(slug)

    original = conformance.make_game
    monkeypatch.setattr(conformance, "make_game", make_game)
    yield slugs
    assert not Game.objects.filter(slug__in=slugs, is_active=True).exists()
    assert not Credential.objects.filter(game__slug__in=slugs, revoked_at=None).exists()
    fronts = Credential.objects.filter(username__in=[f"{slug.rpartition('-')[0]}-front" for slug in slugs])
    assert not fronts.filter(revoked_at=None).exists()


def run(url: str, only: str, **options: Any) -> str:
    told = StringIO()
    call_command("conformance", url=url, only=[only], stdout=told, **{"anyway": True, **options})
    return told.getvalue()


def test_conformance__makes_what_it_needs_and_takes_it_back(target: Target, made: list[str]) -> None:
    assert "Verdict: passed" in run(target.url, "happy.withdraw")
    assert Game.objects.filter(slug__in=made).count() == 2
    assert Credential.objects.filter(game__slug__in=made).count() == 2


def test_conformance__takes_it_back_after_a_red_run(target: Target, made: list[str]) -> None:
    with pytest.raises(CommandError, match="does not keep the contract") as refused:
        run(f"{target.url}/planted/no-zeros", "money.own-decimals")
    assert refused.value.returncode == 1
    assert len(made) == 2


def test_conformance__makes_nothing_where_credentials_are_given(target: Target, made: list[str]) -> None:
    game, other, front = target.game, target.other_game, target.platform
    given = {
        "game": f"{game.slug}:{game.username}:{game.password}",
        "other_game": f"{other.slug}:{other.username}:{other.password}",
        "platform": f"{front.username}:{front.password}",
    }
    assert "Verdict: passed" in run(target.url, "happy.withdraw", **given)
    assert made == []


def test_conformance__is_not_for_real_players_unless_that_is_meant(target: Target, made: list[str]) -> None:
    with pytest.raises(CommandError, match="Give --anyway"):
        run(target.url, "happy.withdraw", anyway=False)
    assert made == []


def test_conformance__says_where_there_is_no_server(made: list[str]) -> None:
    with pytest.raises(CommandError, match="cannot be reached") as refused:
        run("http://127.0.0.1:9", "happy.withdraw")
    assert refused.value.returncode == 2
