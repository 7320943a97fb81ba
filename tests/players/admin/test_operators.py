"""Operators' pages: who may open which door to whom, and the link that is shown once."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from players.models import Approval, AuditEvent, Operator
from tests.support.admin_pages import (
    address,
    approved_by,
    get,
    hidden_in,
    operator,
    page,
    sent,
    signed_in,
    with_reason,
)
from tests.support.callers import unique

PASSWORD = "a password for this test only"
# The token of a link, and the code that goes with it.
Key = tuple[str, str]
ACTIONS = ("change_roles", "reset_login", "deactivate", "reactivate")


def with_roles(*roles: str, **attributes: Any) -> Operator:
    made = operator(**attributes)
    made.groups.set(Group.objects.filter(name__in=roles))
    return made


@pytest.fixture
def administrator() -> Operator:
    """Somebody who may give the roles administrator and support."""
    return with_roles("administrator", "support")


@pytest.fixture
def browser(administrator: Operator) -> Client:
    return signed_in(administrator)


def link_on(response: Any) -> tuple[str, str]:
    """The page and the token of a link that is shown."""
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    found = re.search(r'id="link">([^<]+)<', response.content.decode())
    assert found
    parts = urlsplit(found[1])
    assert (parts.netloc, parts.query) == ("testserver", "")
    return parts.path, parts.fragment


def key_on(response: Any, other: Client) -> tuple[str, Key]:
    """The page and the token of a link that is shown, and the code that is shown to `other` who approves."""
    place, token = link_on(response)
    return place, (token, code_for(other))


def code_for(other: Client) -> str:
    """The code that is shown to whoever approves the latest request."""
    place = page(Approval, Approval.objects.latest("pk"), "approve")
    response = other.post(place, hidden_in(get(other, place)))
    assert "no-store" in response["Cache-Control"]
    found = re.search(r'id="code">([^<]+)<', response.content.decode())
    assert found
    return found[1]


def choose(place: str, key: Key, password: str = PASSWORD, again: str = "") -> Any:
    given = {"token": key[0], "code": key[1], "password": password, "again": again or password}
    return Client().post(place, given)


def add(browser: Client, **changes: Any) -> Any:
    given = {"username": unique("new"), "first_name": "Anna", "last_name": "", "email": "", "groups": []}
    return browser.post(address(Operator, "add"), with_reason(given | changes))


def test_add_operator__shows_a_link_with_which_a_password_is_chosen_once(
    browser: Client, second: Client
) -> None:
    name = unique("new")
    support = Group.objects.get(name="support")
    place, key = key_on(add(browser, username=name, groups=[support.pk]), second)
    made = Operator.objects.get(username=name)
    assert ([*made.groups.all()], made.has_usable_password(), made.is_staff) == ([support], False, True)
    said = get(browser, page(Operator, made)) + get(browser, address(Operator, "history", made.pk))
    said += get(browser, page(Approval, Approval.objects.latest("pk")))
    assert not [half for half in key if half in said]
    assert "Choose your password" in get(Client(), place)
    assert choose(place, key)["Location"] == "/admin/login/"
    used = AuditEvent.objects.get(action="use_login_link", subject_id=str(made.pk))
    assert (used.operator, used.roles, used.address) == (made, ["support"], "127.0.0.1")
    login = Client().post("/admin/login/", {"username": name, "password": PASSWORD})
    assert (login.status_code, login["Location"]) == (302, "/admin/")
    assert "was used, replaced" in choose(place, key).content.decode()


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        ("sh0rt-one-7", "", "at least 12 characters"),
        ("qwerty123456", "", "too common"),
        (PASSWORD, "another password", "not the same"),
    ],
)
def test_new_password__unfit_one_leaves_the_link_as_it_was(
    browser: Client, second: Client, password: str, again: str, words: str
) -> None:
    place, key = key_on(add(browser), second)
    answer = choose(place, key, password, again)
    assert words in answer.content.decode()
    assert password not in answer.content.decode()
    assert choose(place, key).status_code == 302


@pytest.mark.parametrize("code", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "\x00"])
def test_new_password__unknown_code_is_no_error(code: str) -> None:
    assert choose("/admin/new-password/", (code, code)).status_code in (200, 400)


def test_add_operator__offers_and_takes_only_own_roles(browser: Client) -> None:
    text, finance, name = (
        get(browser, address(Operator, "add")),
        Group.objects.get(name="finance"),
        unique("n"),
    )
    offered = re.findall(r'name="groups" value="(\d+)"', text)
    own = Group.objects.filter(name__in=("administrator", "support"))
    assert {int(key) for key in offered} == set(own.values_list("pk", flat=True))
    assert "Select a valid choice" in add(browser, username=name, groups=[finance.pk]).content.decode()
    assert not Operator.objects.filter(username=name).exists()


def test_change_roles__gives_only_own_ones(browser: Client, second: Client) -> None:
    clerk = with_roles("viewer")
    place = page(Operator, clerk, "change_roles")
    assert "Change the roles of" in get(browser, place)
    given = with_reason({"roles": ["support"], "reason": "a new task"})
    answered = browser.post(place, given)
    # Given by two, and only then; the request says what the second person will see.
    request_page = page(Approval, Approval.objects.get(pk=given["approval_id"]))
    assert answered["Location"] == request_page
    assert "support" in get(browser, request_page)
    assert [role.name for role in clerk.groups.all()] == ["viewer"]
    approved_by(second, Approval.objects.get(pk=given["approval_id"]))
    assert [role.name for role in clerk.groups.all()] == ["support"]
    answer = browser.post(place, with_reason({"roles": ["finance"]}), follow=True)
    assert "not finance" in answer.content.decode()
    assert [role.name for role in clerk.groups.all()] == ["support"]


def test_operator_pages__nobody_changes_himself(browser: Client, administrator: Operator) -> None:
    assert "Change roles" not in get(browser, page(Operator, administrator))
    given = {"first_name": "x", "groups": [Group.objects.get(name="finance").pk], "is_superuser": "on"}
    assert browser.post(page(Operator, administrator), given).status_code == 403
    for action in ACTIONS:
        place = page(Operator, administrator, action)
        assert browser.post(place, {"roles": ["finance"], "reason": "mine"}).status_code == 403
    administrator.refresh_from_db()
    assert not administrator.is_superuser
    assert {role.name for role in administrator.groups.all()} == {"administrator", "support"}


def test_operator_pages__superusers_are_marked_and_for_superusers_only(
    browser: Client, boss: Operator
) -> None:
    assert "superuser" in get(browser, f"{address(Operator)}?q={boss.username}")
    assert browser.post(page(Operator, boss), {"first_name": "x"}).status_code == 403
    for action in ACTIONS:
        assert browser.post(page(Operator, boss, action), {"reason": "mine"}).status_code == 403
    assert signed_in(operator(is_superuser=True)).get(page(Operator, boss, "deactivate")).status_code == 200


def test_operator_pages__the_treasurers_account_opens_to_nobody(browser: Client) -> None:
    """Seen once: the treasurer's password set by who could only change operators, and money adjusted."""
    treasurer = with_roles("finance")
    treasurer.set_password(PASSWORD)
    treasurer.save()
    place = page(Operator, treasurer, "reset_login")
    answer = browser.post(place, with_reason(hidden_in(get(browser, place))), follow=True)
    assert "roles that you have not (finance)" in answer.content.decode()
    for place in (f"/admin/players/operator/{treasurer.pk}/password/", "/admin/auth/user/1/password/"):
        browser.post(place, {"password1": "x" * 20, "password2": "x" * 20})
    # Whatever else the form of the page is sent.
    given = {
        "first_name": "T",
        "last_name": "",
        "email": "",
        "password": "x",
        "username": "mine",
        "groups": [],
    }
    assert browser.post(page(Operator, treasurer), given).status_code == 302
    treasurer.refresh_from_db()
    assert (treasurer.first_name, treasurer.check_password(PASSWORD)) == ("T", True)
    assert [role.name for role in treasurer.groups.all()] == ["finance"]


def test_operator__is_deactivated_reactivated_and_reset(browser: Client, second: Client) -> None:
    clerk = with_roles("support")
    browser.post(page(Operator, clerk, "deactivate"), {"reason": "left us"})
    assert not Operator.objects.get(pk=clerk.pk).is_active
    assert "deactivated" in get(browser, page(Operator, clerk))
    place, token = link_on(sent(browser, page(Operator, clerk, "reactivate"), reason="is back")[0])
    assert not Operator.objects.get(pk=clerk.pk).is_active
    assert choose(place, (token, "")).status_code == 200
    old = token, code_for(second)
    place, new = key_on(sent(browser, page(Operator, clerk, "reset_login"), reason="lost it")[0], second)
    assert "link sent" in get(browser, f"{address(Operator)}?q={clerk.username}")
    assert (choose(place, old).status_code, choose(place, new).status_code) == (200, 302)
    said = get(browser, address(Operator, "history", clerk.pk))
    assert "is deactivated. Reason: left us" in said
    assert not [half for half in new if half in said]


def test_new_password__ends_the_session_of_whoever_opens_it(browser: Client, second: Client) -> None:
    place, (token, code) = key_on(add(browser), second)
    browser.post(place, {"token": token, "code": code, "password": PASSWORD, "again": PASSWORD})
    assert browser.get("/admin/").status_code == 302


def test_add_operator__is_nobody_before_a_second_person_approved(browser: Client, second: Client) -> None:
    """Who could make a second person alone would be one."""
    name = unique("puppet")
    place, token = link_on(add(browser, username=name))
    assert choose(place, (token, "")).status_code == 200
    assert not Operator.objects.filter(username=name).exists()
    assert choose(place, (token, code_for(second))).status_code == 302


def test_add_operator__gives_neither_of_the_two_the_account(browser: Client, second: Client) -> None:
    """Who requests an operator and has the link would be a second person for all that he requests next."""
    place, (token, code) = key_on(add(browser, username=unique("puppet")), second)
    other_place, (_, other_code) = key_on(add(browser), second)
    assert place == other_place
    for half in ((token, ""), (token, token), (token, "aaaaa-aaaaa"), (token, other_code), ("", code)):
        assert choose(place, half).status_code == 200, half
    assert choose(place, (token, f" {code.upper().replace('-', ' ')} ")).status_code == 302


def test_add_operator__shows_the_approver_who_it_is_for(browser: Client, second: Client) -> None:
    add(browser, first_name="Anna", last_name="Berg", email="anna@example.org")
    text = get(second, page(Approval, Approval.objects.latest("pk"), "approve"))
    assert "It is for Anna Berg, anna@example.org." in text


def test_add_operator__takes_no_name_that_could_be_taken_for_another(browser: Client, boss: Operator) -> None:
    for name in (boss.username.upper(), "a" * 72):
        given = {"username": name, "first_name": "", "last_name": "", "email": "", "groups": []}
        answer = browser.post(address(Operator, "add"), with_reason(given), follow=True)
        assert "Nothing was requested" in answer.content.decode(), name


def test_operators__are_found_by_nothing_that_no_page_shows(boss: Operator) -> None:
    """The hash of a password could be read by its beginnings, letter by letter."""
    boss.set_password(PASSWORD)
    boss.save()
    reader = signed_in(with_roles("auditor"))
    for condition in ("password__startswith=argon2", "password=x", "login_links__token_hash__isnull=0"):
        assert reader.get(f"{address(Operator)}?{condition}").status_code == 400, condition
    for offered in ("is_active__exact=1", "is_superuser__exact=1", "groups__id__exact=1"):
        assert reader.get(f"{address(Operator)}?{offered}").status_code == 200, offered
