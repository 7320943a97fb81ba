"""The admin's pages hold nothing that their policy refuses."""

import re

from django.contrib.auth.models import Group
from django.test import Client

from config.content_security import STYLE, hash_of
from players.models import Operator
from tests.config.admin.test_null_bytes import action_pages
from tests.config.admin.test_pages import ADDED
from tests.support.admin_pages import REGISTERED, address, page, rows_of
from tests.support.callers import PlayerSession

SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>")
ATTRIBUTE = re.compile(r"""<[a-z][^<>]*\s(?:style|on[a-z]+)=["'][^<>]*>""", re.IGNORECASE)
FOREIGN = re.compile(r"""<(?:link|script|img|form)[^<>]*\b(?:src|href|action)=["'](?:https?:)?//""")


def refused_of(text: str, policy: str) -> list[str]:
    """What a browser would refuse of a page."""
    styles = [style for style in STYLE.findall(text) if f"'{hash_of(style)}'" not in policy]
    return [*styles, *SCRIPT.findall(text), *ATTRIBUTE.findall(text), *FOREIGN.findall(text)]


def test_admin_pages__hold_nothing_that_their_policy_refuses(client: Client, story: PlayerSession) -> None:
    places = [
        "/admin/",
        *(address(model) for model in REGISTERED),
        *(address(model, "add") for model in ADDED),
    ]
    for model, rows in rows_of(story).items():
        places += [page(model, rows[0]), address(model, "history", rows[0].pk)]
    places += [address(Group, "delete", Group.objects.order_by("pk")[0].pk), address(Operator) + "?q=x"]
    opened = 0
    for place in [*places, *action_pages(story)]:
        response = client.get(place)
        if response.status_code == 200:
            opened += 1
            refused = refused_of(response.content.decode(), response["Content-Security-Policy"])
            assert refused == [], place
    assert opened > 60


def test_log_in_page__holds_nothing_that_its_policy_refuses() -> None:
    for response in (
        Client().get("/admin/login/"),
        Client().post("/admin/login/", {"username": "x"}),
        Client().get("/admin/new-password/"),
    ):
        assert refused_of(response.content.decode(), response["Content-Security-Policy"]) == []


def test_api_page__holds_nothing_that_its_policy_refuses() -> None:
    response = Client().get("/api/docs/")
    assert refused_of(response.content.decode(), response["Content-Security-Policy"]) == []
