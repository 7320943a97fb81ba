"""Operators have ASCII names, roles that their makers have, and passwords that only they know."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from players.models import AuditEvent, Operator
from players.operators import (
    LinkEnded,
    LoginKey,
    OperatorRefused,
    create_operator,
    deactivate_operator,
    new_login_key,
    operator_of_link,
    reactivate_operator,
    reset_login,
    roles_of,
    set_roles,
    use_login_link,
)
from tests.conftest import Clock
from tests.support.callers import unique
from tests.support.owned import owned

Owner = psycopg.Connection[Any]
PASSWORD = "a password for this test only"
# A Cyrillic and a Greek letter, an accent, a full-width letter, a zero-width joiner, a line's end.
LOOKALIKES = ("\u0430dmin", "r\u03bfot", "admi\u0144", "\uff41dmin", "ad\u200dmin", "admin\n")


@pytest.mark.parametrize("name", LOOKALIKES)
def test_createsuperuser__takes_ascii_only(name: str) -> None:
    with pytest.raises(CommandError, match="valid username"):
        call_command("createsuperuser", username=name, email="", interactive=False, stdout=StringIO())
    assert not Operator.objects.filter(username=name).exists()


def test_createsuperuser__is_the_owners_and_is_recorded() -> None:
    name = unique("boss")
    given: dict[str, Any] = {"username": name, "email": "", "interactive": False, "stdout": StringIO()}
    with pytest.raises(CommandError, match="Only the owner of the database makes superusers"):
        call_command("createsuperuser", **given, database="default")
    for _ in range(2):
        call_command("createsuperuser", **given, database="owner", if_missing=True)
    made = Operator.objects.get(username=name)
    assert made.is_superuser
    (event,) = AuditEvent.objects.filter(subject_type="players.operator", subject_id=str(made.pk))
    assert (event.username, event.action) == ("machine:manage.py createsuperuser", "add_operator")


def test_changepassword__sets_nobodys() -> None:
    with pytest.raises(CommandError, match="Nobody sets another's password"):
        call_command("changepassword", superuser().username)


def test_superuser__is_not_made_or_ended_by_the_application(owner: Owner) -> None:
    clerk, boss = operator(), superuser()
    with pytest.raises(IntegrityError, match="only the owner"), transaction.atomic():
        Operator.objects.filter(pk=clerk.pk).update(is_superuser=True)
    with pytest.raises(IntegrityError, match="only the owner"), transaction.atomic():
        Operator.objects.filter(pk=boss.pk).update(is_superuser=False)
    with pytest.raises(IntegrityError, match="only the owner"), transaction.atomic():
        Operator.objects.create(username=unique("boss"), is_superuser=True)
    # Everything else is saved as before.
    boss.first_name = "Ada"
    boss.save()
    owner.execute("UPDATE players_operator SET is_superuser = true WHERE id = %s", [clerk.pk])
    assert Operator.objects.get(pk=clerk.pk).is_superuser


@pytest.mark.parametrize("name", LOOKALIKES)
def test_operator__is_made_under_an_ascii_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Operator.objects.create_user(name)
    with pytest.raises(IntegrityError, match="an operator's name"), transaction.atomic():
        Operator.objects.create(username=name)
    made = Operator.objects.create_user(unique("anna.b+c@d_e-"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Operator.objects.filter(pk=made.pk).update(username=name)


def test_operator__of_an_earlier_version_can_still_log_in(owner: Owner) -> None:
    """The name stays until somebody changes it."""
    made = Operator.objects.create_user(unique("old"))
    name = unique("j\u00fcrgen")
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE players_operator SET username = %s WHERE id = %s", [name, made.pk])
    old = Operator.objects.get(username=name)
    old.last_login = old.date_joined
    old.save()
    assert Operator.objects.get(pk=made.pk).last_login == old.date_joined
    # Whoever has it can be deactivated, and be given an ASCII name but no other of this kind.
    old.is_active = False
    old.full_clean()
    old.username = unique("j\u00fcrgen")
    with pytest.raises(ValidationError, match="valid username"):
        old.full_clean()
    old.username = unique("juergen")
    old.full_clean()


def operator(*roles: str, **attributes: Any) -> Operator:
    operators = owned(Operator) if attributes.get("is_superuser") else Operator.objects.all()
    made = Operator.objects.get(pk=operators.create(username=unique("op"), is_staff=True, **attributes).pk)
    made.groups.set(Group.objects.filter(name__in=roles))
    return made


def link_of(operator: Operator) -> LoginKey:
    """The key of a log-in link of an operator, whose password ends with it."""
    key = new_login_key()
    reset_login(operator.pk, link_hash=key.hash, by=superuser())
    return key


def superuser() -> Operator:
    return operator(is_superuser=True)


def test_create_operator__can_log_in_only_by_the_link() -> None:
    key = new_login_key()
    made = create_operator(
        username=unique("new"),
        first_name="Anna",
        last_name="Berg",
        email="anna@example.com",
        roles=["support"],
        link_hash=key.hash,
        by=operator("administrator", "support"),
    )
    assert (made.is_staff, made.is_superuser, made.has_usable_password()) == (True, False, False)
    assert use_login_link(key, password=PASSWORD) == made
    assert Operator.objects.get(pk=made.pk).check_password(PASSWORD)
    assert roles_of(made) == {"support"}


def test_create_operator__gives_no_role_that_its_maker_has_not() -> None:
    name = unique("new")
    with pytest.raises(OperatorRefused, match="not finance, risk"):
        create_operator(
            username=name,
            first_name="",
            last_name="",
            email="",
            roles=["support", "risk", "finance"],
            link_hash=new_login_key().hash,
            by=operator("administrator", "support"),
        )
    assert not Operator.objects.filter(username=name).exists()


def test_set_roles__gives_own_roles_and_takes_any() -> None:
    clerk, administrator = operator("finance", "viewer"), operator("administrator", "support")
    assert set_roles(clerk.pk, roles=["support", "viewer"], by=administrator) == ({"support"}, {"finance"})
    assert roles_of(clerk) == {"support", "viewer"}
    with pytest.raises(OperatorRefused, match="not finance"):
        set_roles(clerk.pk, roles=["finance"], by=administrator)
    assert roles_of(clerk) == {"support", "viewer"}


def test_set_roles__a_superuser_gives_all() -> None:
    clerk = operator()
    set_roles(clerk.pk, roles=["finance", "auditor"], by=superuser())
    assert roles_of(clerk) == {"finance", "auditor"}


ACTS: list[Callable[..., Any]] = [
    lambda row, by: set_roles(row.pk, roles=[], by=by),
    lambda row, by: deactivate_operator(row.pk, by=by),
    lambda row, by: reset_login(row.pk, link_hash=new_login_key().hash, by=by),
    lambda row, by: reactivate_operator(row.pk, link_hash=new_login_key().hash, by=by),
]


@pytest.mark.parametrize("act", ACTS)
def test_operator__nobody_acts_on_himself_or_on_a_superuser(act: Callable[..., Any]) -> None:
    administrator, boss = operator("administrator"), superuser()
    for row, by in ((administrator, administrator), (boss, boss), (boss, administrator)):
        before = Operator.objects.values().get(pk=row.pk)
        with pytest.raises(OperatorRefused, match=r"You cannot act on yourself|Only a superuser"):
            act(row, by)
        assert Operator.objects.values().get(pk=row.pk) == before
        assert not row.login_links.exists()


def test_reset_login__opens_no_account_that_can_do_more() -> None:
    treasurer, administrator = operator("finance", "viewer"), operator("administrator", "viewer")
    treasurer.set_password(PASSWORD)
    treasurer.save()
    with pytest.raises(OperatorRefused, match=r"roles that you have not \(finance\)"):
        reset_login(treasurer.pk, link_hash=new_login_key().hash, by=administrator)
    deactivate_operator(treasurer.pk, by=administrator)
    with pytest.raises(OperatorRefused, match=r"roles that you have not \(finance\)"):
        reactivate_operator(treasurer.pk, link_hash=new_login_key().hash, by=administrator)
    treasurer.refresh_from_db()
    assert (treasurer.is_active, treasurer.check_password(PASSWORD)) == (False, True)
    assert not treasurer.login_links.exists()


def test_reset_login__ends_password_and_sessions_at_once() -> None:
    clerk = operator()
    clerk.set_password(PASSWORD)
    clerk.save()
    browser = Client()
    browser.force_login(clerk)
    assert browser.get("/admin/").status_code == 200
    link_of(clerk)
    assert browser.get("/admin/").status_code == 302
    assert not Operator.objects.get(pk=clerk.pk).has_usable_password()


def test_deactivate__ends_sessions_and_links_until_reactivated() -> None:
    clerk, boss = operator("support"), superuser()
    browser, token = Client(), link_of(clerk)
    browser.force_login(clerk)
    assert (deactivate_operator(clerk.pk, by=boss), deactivate_operator(clerk.pk, by=boss)) == (True, False)
    assert browser.get("/admin/").status_code == 302
    with pytest.raises(OperatorRefused, match="is deactivated"):
        link_of(clerk)
    fresh = new_login_key()
    reactivate_operator(clerk.pk, link_hash=fresh.hash, by=boss)
    with pytest.raises(OperatorRefused, match="active already"):
        reactivate_operator(clerk.pk, link_hash=new_login_key().hash, by=boss)
    with pytest.raises(LinkEnded):
        use_login_link(token, password=PASSWORD)
    assert use_login_link(fresh, password=PASSWORD).is_active


def test_login_link__is_good_once_and_only_the_newest() -> None:
    clerk = operator()
    old, new = link_of(clerk), link_of(clerk)
    with pytest.raises(LinkEnded):
        use_login_link(old, password="another password of a test")
    use_login_link(new, password=PASSWORD)
    for key in (old, new, new_login_key(), LoginKey(new.token, old.code)):
        with pytest.raises(LinkEnded):
            use_login_link(key, password="another password of a test")
    assert Operator.objects.get(pk=clerk.pk).check_password(PASSWORD)


def test_login_link__expires(clock: Clock) -> None:
    clerk = operator()
    token = link_of(clerk)
    clock.go_ahead(timedelta(hours=23, minutes=59))
    assert operator_of_link(token) == clerk
    clock.go_ahead(timedelta(hours=24, minutes=1))
    with pytest.raises(LinkEnded):
        use_login_link(token, password=PASSWORD)
    assert not Operator.objects.get(pk=clerk.pk).has_usable_password()


def test_login_link__used_twice_at_once_sets_one_password() -> None:
    for _ in range(3):
        clerk = operator()
        token, chosen = link_of(clerk), [f"{PASSWORD} {number}" for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            won = [word for word in pool.map(tried, [token] * 4, chosen) if word]
        assert len(won) == 1
        assert Operator.objects.get(pk=clerk.pk).check_password(won[0])


def tried(key: LoginKey, password: str) -> str:
    """The password, if the link took it."""
    try:
        use_login_link(key, password=password)
    except LinkEnded:
        return ""
    finally:
        connection.close()
    return password
