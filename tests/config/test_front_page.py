"""What is at `/` of a platform that holds real money, and its documents."""

import re
from pathlib import Path

import pytest

from config.documents import documents
from config.launcher.supervisor import ROOT
from tests.support.callers import Caller

STRANGER = Caller(None)


def test_front_page__names_the_platform_and_reveals_nothing_else() -> None:
    answer = STRANGER.send("GET", "/")
    page = answer.raw.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Quantum Wallet</title>" in page
    assert set(re.findall(r'<a [^>]*href="([^"]*)"', page)) == {"/api/docs/", "/docs/"}
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")


def test_front_page__has_no_demonstration() -> None:
    for place in ("/demo/clock", "/demo/players", "/demo/launch"):
        assert STRANGER.send("GET", place).status == 404


def test_documents__are_listed_with_their_titles() -> None:
    page = STRANGER.send("GET", "/docs/").raw.decode()
    assert re.findall(r'href="/docs/([^"]*)\.md"', page) == list(documents())
    assert list(documents())[:2] == ["integrate-a-game", "api"]
    assert "The API for a game backend" in page


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.stem)
def test_document__is_served_as_it_is_written(path: Path) -> None:
    answer = STRANGER.send("GET", f"/docs/{path.name}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.raw == path.read_bytes()


def test_documents__list_for_programs_leads_to_documents_that_are_served() -> None:
    text = STRANGER.send("GET", "/llms.txt").raw.decode()
    places = re.findall(r"\]\(([^)]+)\)", text)
    assert len(places) > 10
    assert [place for place in places if STRANGER.send("GET", f"/{place}").status != 200] == []


@pytest.mark.parametrize("name", ["nothing.md", "..md", "%2e%2e%2fREADME.md", "decisions/README.md", "api"])
def test_document__of_another_name_is_not_there(name: str) -> None:
    assert STRANGER.send("GET", f"/docs/{name}").status == 404
