"""What happens to operators: they are made, given roles, deactivated; each chooses a password alone.

Nobody acts on himself, gives a role that he has not, or opens an account that can do more than he can. A
log-in link takes a code besides: whoever requests the link gets the one, whoever approves it the other, so
that neither of them can use it, and be two persons from then on.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from lib.clock import WalletNow, now
from lib.security.tokens import new_code, new_token, password_hash, plain_code
from players.models import LoginLink, Operator


class LoginKey(NamedTuple):
    """What opens an account: the token of a log-in link, and the code that goes with it."""

    token: UUID
    code: str

    @property
    def hash(self) -> bytes:
        """All that is kept of it."""
        return password_hash(f"log-in link {self.token} {plain_code(self.code)}")


class OperatorRefused(Exception):
    """Nothing has changed; the text says why, for whoever acted."""


class LinkEnded(Exception):
    """A log-in link that is unknown, used, replaced, or expired; or its operator is deactivated."""


def roles_of(operator: Operator) -> set[str]:
    """The names of the roles that an operator can give: his own, or all if he is a superuser."""
    roles = Group.objects.all() if operator.is_superuser else operator.groups.all()
    return set(roles.values_list("name", flat=True))


def new_login_key() -> LoginKey:
    return LoginKey(new_token(), new_code())


@transaction.atomic
def create_operator(
    *,
    username: str,
    first_name: str,
    last_name: str,
    email: str,
    roles: Collection[str],
    link_hash: bytes,
    by: Operator,
) -> Operator:
    """Makes an operator who has these roles, no password, and a log-in link with this hash (`LoginKey`).

    Raises `OperatorRefused` if `by` has not all of the roles.
    """
    require_own_roles(by, roles)
    operator = Operator.objects.create_user(
        username, email, None, first_name=first_name, last_name=last_name, is_staff=True
    )
    operator.groups.set(Group.objects.filter(name__in=roles))
    issue_link(operator, link_hash)
    return operator


@transaction.atomic
def set_roles(operator_id: int, *, roles: Collection[str], by: Operator) -> tuple[set[str], set[str]]:
    """Gives an operator exactly these roles. Returns which are new, and which are gone.

    Roles that `by` has not can be taken, not given: then it raises `OperatorRefused`.
    """
    operator = locked(operator_id, by)
    before, after = set(operator.groups.values_list("name", flat=True)), set(roles)
    require_own_roles(by, after - before)
    operator.groups.set(Group.objects.filter(name__in=after))
    return after - before, before - after


@transaction.atomic
def deactivate_operator(operator_id: int, *, by: Operator) -> bool:
    """Ends all sessions and log-in links of an operator. Returns whether that is new."""
    operator = locked(operator_id, by)
    end_links(operator)
    was_active, operator.is_active = operator.is_active, False
    operator.save(update_fields=["is_active"])
    return was_active


@transaction.atomic
def reactivate_operator(operator_id: int, *, link_hash: bytes, by: Operator) -> None:
    """Lets an operator in again, who chooses a new password with a log-in link.

    Raises `OperatorRefused` if he has roles that `by` has not, or is active.
    """
    operator = locked(operator_id, by)
    if operator.is_active:
        raise OperatorRefused(format_lazy(_("{username} is active already."), username=operator.username))
    open_account(operator, link_hash, by)


@transaction.atomic
def reset_login(operator_id: int, *, link_hash: bytes, by: Operator) -> None:
    """Ends an operator's password and sessions; he chooses a new password with a log-in link.

    Raises `OperatorRefused` if he has roles that `by` has not, or is deactivated.
    """
    operator = locked(operator_id, by)
    if not operator.is_active:
        raise OperatorRefused(
            format_lazy(
                _("{username} is deactivated: reactivate the operator instead."), username=operator.username
            )
        )
    open_account(operator, link_hash, by)


@transaction.atomic
def use_login_link(key: LoginKey, *, password: str) -> Operator:
    """Sets the password of a link's operator, once. Raises `LinkEnded`."""
    operator = operator_of_link(key)
    used = LoginLink.objects.filter(token_hash=key.hash, ended_at=None, expires_at__gt=WalletNow())
    if not used.update(ended_at=WalletNow()):
        raise LinkEnded
    operator.set_password(password)
    operator.save(update_fields=["password"])
    return operator


def operator_of_link(key: LoginKey) -> Operator:
    """Whose link it is, if it is still good. Raises `LinkEnded`."""
    live = LoginLink.objects.filter(ended_at=None, expires_at__gt=WalletNow(), operator__is_active=True)
    link = live.select_related("operator").filter(token_hash=key.hash).first()
    if link is None:
        raise LinkEnded
    return link.operator


# --- Their parts --------------------------------------------------------------------------------------


def locked(operator_id: int, by: Operator) -> Operator:
    """The operator, locked, if `by` may act on him at all. Raises `OperatorRefused`."""
    operator = Operator.objects.select_for_update().get(pk=operator_id)
    if not may_act_on(operator, by):
        raise OperatorRefused(
            _("You cannot act on yourself.") if operator == by else _("Only a superuser acts on a superuser.")
        )
    return operator


def may_act_on(operator: Operator, by: Operator) -> bool:
    """Whether somebody may change this operator: never himself, and superusers only among themselves."""
    return operator != by and (by.is_superuser or not operator.is_superuser)


def require_own_roles(by: Operator, roles: Iterable[str]) -> None:
    """Raises `OperatorRefused` if there are roles among these that `by` has not."""
    if missing := set(roles) - roles_of(by):
        raise OperatorRefused(
            format_lazy(
                _("You can give only roles that you have yourself: not {names}."),
                names=", ".join(sorted(missing)),
            )
        )


def require_roles_of(operator: Operator, by: Operator) -> None:
    """Raises `OperatorRefused` if an operator has roles that `by` has not."""
    if missing := set(operator.groups.values_list("name", flat=True)) - roles_of(by):
        raise OperatorRefused(
            format_lazy(
                _("{username} has roles that you have not ({names}): ask somebody who has them."),
                username=operator.username,
                names=", ".join(sorted(missing)),
            )
        )


def open_account(operator: Operator, link_hash: bytes, by: Operator) -> None:
    """Makes a locked operator active, without a password, and with a new log-in link."""
    require_roles_of(operator, by)
    operator.is_active = operator.is_staff = True
    operator.set_unusable_password()
    operator.save(update_fields=["is_active", "is_staff", "password"])
    issue_link(operator, link_hash)


def issue_link(operator: Operator, link_hash: bytes) -> LoginLink:
    """Makes the log-in link whose key has this hash; earlier ones end."""
    end_links(operator)
    made_at = now()
    return LoginLink.objects.create(
        operator=operator,
        token_hash=link_hash,
        made_at=made_at,
        expires_at=made_at + settings.LOGIN_LINK_TTL,
    )


def end_links(operator: Operator) -> None:
    operator.login_links.filter(ended_at=None).update(ended_at=WalletNow())
