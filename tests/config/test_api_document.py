"""The API's description is made once, and costs a stranger's request next to nothing (contract 5)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from config import api_document
from tests.support.callers import Answer, Caller

PLACE = "/api/schema/"


def ask(place: str = PLACE, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Caller(None).send(method, place, headers=named)


def test_api_document__is_made_once_however_many_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = SchemaGenerator.get_schema

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(1)
        return make(self, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    api_document.description.cache_clear()
    api_document.rendered.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [PLACE, f"{PLACE}?format=json"] * 8))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.raw for answer in answers}) == 2
    assert len(made) == 1


def test_api_document__has_an_etag_and_is_not_sent_twice() -> None:
    first, other = ask(), ask(f"{PLACE}?format=json")
    etag = first.headers["etag"]
    assert (first.status, first.headers["content-type"]) == (200, "application/vnd.oai.openapi")
    assert etag != other.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=300"
    assert "Accept" in first.headers["vary"]
    for known in (etag, f"W/{etag}", f'"older", {etag}', "*"):
        again = ask(If_None_Match=known)
        assert (again.status, again.raw, again.headers["etag"]) == (304, b"", etag)
    assert ask(If_None_Match='"older"').raw == first.raw
    assert ask(If_None_Match=other.headers["etag"]).status == 200
    head = ask(method="HEAD")
    assert (head.status, head.headers["etag"]) == (200, etag)


def test_api_document__describes_calls_and_not_itself() -> None:
    paths = ask(f"{PLACE}?format=json").body["paths"]
    assert "/wallet/withdraw" in paths
    assert not [path for path in paths if path.startswith("/api/")]


def test_api_document__words_in_the_address_make_no_other_one() -> None:
    etag = ask().headers["etag"]
    for words in ("lang=de", "version=7", "lang=zz&version=%27", "x=" + "y" * 1000):
        assert ask(f"{PLACE}?{words}").headers["etag"] == etag, words


@pytest.mark.parametrize("place", [PLACE, "/api/docs/"])
@pytest.mark.parametrize("format", ["xml", "html5", "api", "%00", "YAML", "../json"])
def test_api_document__unknown_format_is_404(place: str, format: str) -> None:
    answer = ask(f"{place}?format={format}")
    assert answer.status == 404
    assert b"Traceback" not in answer.raw


@pytest.mark.parametrize("place", [PLACE, "/api/docs/"])
def test_api_document__unknown_type_is_406(place: str) -> None:
    assert ask(place, Accept="image/png").status == 406


@pytest.mark.parametrize("place", [PLACE, "/api/docs/"])
def test_api_document__is_only_read(place: str) -> None:
    assert ask(place, "POST").status == 405


def test_api_document__its_page_has_no_script_or_style_within() -> None:
    page = ask("/api/docs/", Accept="text/html")
    assert page.status == 200
    assert b"<style" not in page.raw
    assert page.raw.count(b"<script") == page.raw.count(b"<script src=") == 4
    script = ask("/api/docs/?script=", Accept="text/html")
    assert (script.status, script.headers["content-type"]) == (200, "application/javascript")
    assert b"SwaggerUIBundle" in script.raw
