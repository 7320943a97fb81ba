import pytest

from clients.kit.parties import basic
from clients.kit.redaction import Redactor

TOKEN, OTHER = "0fabcdc4-fe07-44f2-b968-93da3b324898", "8d3c7f6e-58a2-4c34-9a29-6f4f0c7f3a10"
PASSWORD = "S:cr et/1"


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.hide_login("game", PASSWORD)
    return redactor


def test_clean__hides_a_password_in_each_of_its_forms(redactor: Redactor) -> None:
    text = f"{PASSWORD} | S%3Acr%20et/1 | {basic('game', PASSWORD)}"
    assert redactor.clean(text) == "[hidden] | [hidden] | Basic [hidden]"


def test_clean__hides_headers_with_secrets(redactor: Redactor) -> None:
    text = "POST / HTTP/1.1\nauthorization: Basic Zm9v\nSet-Cookie: a=b\nHost: x"
    assert redactor.clean(text) == "POST / HTTP/1.1\nauthorization: [hidden]\nSet-Cookie: [hidden]\nHost: x"


def test_clean__numbers_tokens_and_leaves_other_ids(redactor: Redactor) -> None:
    launched = f'{{"token":"{TOKEN}","launchUrl":"https://game.example/?token={TOKEN}&lang=de"}}'
    wanted = '{"token":"[token 1]","launchUrl":"https://game.example/?token=[token 1]&lang=de"}'
    assert redactor.clean(launched) == wanted
    assert redactor.clean(f'{{"token": "{OTHER}"}}') == '{"token": "[token 2]"}'
    assert redactor.clean(f'{{"token": "{TOKEN}", "id": "{TOKEN[:-1]}0"}}').endswith(f'"{TOKEN[:-1]}0"}}')
    assert redactor.clean(f"a text with {TOKEN}") == "a text with [token 1]"


def test_clean__hides_tokens_of_another_form(redactor: Redactor) -> None:
    assert (
        redactor.clean('{"token": "x", "password": "y"}') == '{"token": "[hidden]", "password": "[hidden]"}'
    )
