"""`manage.py check` tells which acts have nobody to approve them."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction

from config.second_person import lacks
from players.models import Operator
from tests.support.admin_pages import operator

REFUND = "(payments.refund_order), and it takes two. Give another operator the role finance."


@pytest.fixture
def nobody(database: None) -> Iterator[None]:
    """A platform without operators; afterwards they are there again."""
    with transaction.atomic():
        Operator.objects.update(is_active=False)
        yield
        transaction.set_rollback(True)


def test_check__tells_what_a_platform_with_one_operator_lacks(nobody: None) -> None:
    assert f"no operator may {REFUND}" in " ".join(lacks())
    boss = operator(is_superuser=True)
    said = StringIO()
    call_command("check", stderr=said, stdout=StringIO())
    assert f"refund: only {boss.username} may {REFUND}" in said.getvalue()


def test_check__is_content_with_a_second_person(nobody: None) -> None:
    operator(is_superuser=True)
    operator().groups.set(Group.objects.all())
    assert lacks() == []
    operator(is_superuser=True)
    assert lacks() == []


def test_check__does_not_count_who_is_deactivated_or_has_another_role(nobody: None) -> None:
    operator(is_superuser=True)
    operator().groups.set(Group.objects.filter(name="viewer"))
    operator(is_active=False).groups.set(Group.objects.filter(name="finance"))
    # Whoever was reset, and has not used the link yet, cannot log in.
    operator(password=make_password(None)).groups.set(Group.objects.filter(name="finance"))
    assert any("refund: only" in sentence for sentence in lacks())
