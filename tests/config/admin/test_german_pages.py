"""What a page says was marked for translation, on every page of what is German already."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.german.marked_language import marked_german
from tests.german.unmarked import unmarked


@pytest.fixture(autouse=True)
def marked() -> Iterator[None]:
    with marked_german():
        yield


@pytest.fixture
def german(client: Client) -> Client:
    client.cookies["language"] = "de"
    return client


def test_log_in_page__every_text_is_marked() -> None:
    page = Client().get("/admin/login/", headers={"Accept-Language": "de"})
    assert unmarked(page.content.decode()) == []
