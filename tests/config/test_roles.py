from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import ProgrammingError, transaction

from config.roles import OURS, ROLES, permissions_of
from lib.backoffice.confirmation import PageAction
from lib.backoffice.pages import PageAdmin
from players.models import Operator
from tests.support.callers import unique


def names_of(permissions: Any) -> set[str]:
    return {f"{app}.{code}" for app, code in permissions.values_list("content_type__app_label", "codename")}


def asked_for() -> set[str]:
    """The permissions that pages and actions of the admin ask for."""
    names: set[str | None] = set()
    for page in admin.site._registry.values():
        actions = [getattr(type(page), name) for name in dir(type(page)) if is_action(type(page), name)]
        names |= {action.permission for action in actions}
        if isinstance(page, PageAdmin):
            names |= {page.add_permission, page.change_permission}
    return {name for name in names if name}


def is_action(page: type[Any], name: str) -> bool:
    return any(isinstance(vars(base).get(name), PageAction) for base in page.__mro__)


@pytest.mark.parametrize("role", ROLES)
def test_role__has_what_the_table_says(database: None, role: str) -> None:
    assert names_of(Group.objects.get(name=role).permissions.all()) == ROLES[role]


def test_permissions__are_those_of_the_models_and_each_is_some_roles(database: None) -> None:
    known = Permission.objects.filter(content_type__app_label__in=OURS)
    assert names_of(known) == {
        name for role in ROLES.values() for name in role if not name.startswith("auth.")
    }


def test_permissions__what_a_page_asks_for_exists(database: None) -> None:
    assert len(asked_for()) > 15
    assert len(permissions_of(asked_for())) == len(asked_for())


def test_permissions__an_unknown_name_is_refused(database: None) -> None:
    with pytest.raises(LookupError, match=r"wallet\.make_money"):
        permissions_of(["wallet.make_money"])


def test_roles__are_no_matter_of_the_applications_role(database: None) -> None:
    """It can give them, and can neither make one nor change what one may do, nor permit anything besides."""
    finance, who = Group.objects.get(name="finance"), Operator.objects.create(username=unique("op"))
    permission = Permission.objects.get(codename="adjust_balance")
    who.groups.add(finance)
    acts: list[Callable[[], object]] = [
        lambda: Group.objects.create(name=unique("role")),
        lambda: Group.objects.filter(pk=finance.pk).update(name=unique("role")),
        lambda: Group.objects.get(name="viewer").permissions.add(permission),
        lambda: who.user_permissions.add(permission),
    ]
    for act in acts:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            act()
