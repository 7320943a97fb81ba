"""The page of roles shows the table, and who has each role."""

from django.contrib.auth.models import Group
from django.test import Client

from config.roles import PURPOSES, ROLES
from tests.support.admin_pages import address, get, operator, page, signed_in


def test_role_list__shows_who_may_do_what(client: Client) -> None:
    text = get(client, address(Group))
    for role in ROLES:
        assert str(PURPOSES[role]) in text
    assert "Credit and debit wallets" in text
    assert "wallet.adjust_balance" in text


def test_role_page__shows_its_acts_and_its_operators(client: Client) -> None:
    finance, clerk = Group.objects.get(name="finance"), operator()
    clerk.groups.add(finance)
    text = get(client, page(Group, finance))
    assert "Refund orders" in text
    assert "Freeze and unfreeze wallets" not in text
    assert clerk.username in text
    reader = signed_in(operator("auth.view_group"))
    assert clerk.username not in get(reader, page(Group, finance))
