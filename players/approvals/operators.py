"""Operators get roles, or a log-in link: with either, somebody could become a second person for himself."""

from typing import Literal

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, Subject, actor_of
from players.models import Operator
from players.operators import (
    OperatorRefused,
    create_operator,
    reactivate_operator,
    reset_login,
    set_roles,
)

NONE = _("none")
WHO_HAS_BOTH = _(
    "Whoever has the link and its code chooses the password of {name}, and can do what {name} can. "
    "Who requests it gets the link, who approves it the code: each hands over the own half, "
    "and to nobody but {name}."
)


class RolesPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The roles that an operator had when this was requested, and is to have."""

    username: str
    before: list[str]
    after: list[str]


class AccountPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator who gets a log-in link; `link_hash` is its key's, in hexadecimal.

    The key's code is the request's secret. Names, address and `roles` are those of a new operator.
    """

    act: Literal["make", "reactivate", "reset"]
    username: str
    link_hash: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    roles: list[str] = []


class OperatorKind:
    """What both kinds have in common."""

    about = "players.operator"

    def made(self, payload: RolesPayload | AccountPayload) -> Operator:
        return Operator.objects.get(username=payload.username)


class RoleGrant(OperatorKind, Kind[RolesPayload]):
    """Roles are given; taking them alone needs nobody else."""

    name, title, permission = "change_roles", _("giving of roles"), "players.manage_roles"
    payload = RolesPayload

    def describe(self, payload: RolesPayload) -> str:
        given = listed(set(payload.after) - set(payload.before))
        return format_lazy(_("Give {username} the roles {roles}"), username=payload.username, roles=given)

    def preview(self, payload: RolesPayload) -> Preview:
        operator = locked(payload.username)
        if operator is None or roles_of(operator) != payload.before:
            raise NotExecutable(
                format_lazy(
                    _("The roles of {username} have changed since this was requested."),
                    username=payload.username,
                )
            )
        change = Change(_("Roles"), listed(payload.before), listed(payload.after))
        return Preview(Subject(self.about, str(operator.pk), operator.username), [change])

    def execute(self, payload: RolesPayload, execution: Execution) -> str:
        operator = self.made(payload)
        try:
            set_roles(operator.pk, roles=payload.after, by=execution.requester)
        except OperatorRefused as problem:
            raise NotExecutable(*problem.args) from problem
        return format_lazy(
            _("Roles of {username}: {roles}."), username=operator.username, roles=listed(payload.after)
        )


class AccountOpening(OperatorKind, Kind[AccountPayload]):
    """The link is shown to who requests it, its code to who approves it: neither can use it alone."""

    name, title, permission = "open_account", _("log-in link of an operator"), "players.manage_operators"
    payload = AccountPayload
    is_secret_the_approvers = True

    def describe(self, payload: AccountPayload) -> str:
        words = {
            "make": _("Make the operator {username}"),
            "reactivate": _("Reactivate {username}"),
            "reset": _("Reset the log-in of {username}"),
        }
        return format_lazy(words[payload.act], username=payload.username)

    def preview(self, payload: AccountPayload) -> Preview:
        operator = locked(payload.username)
        if (payload.act == "make") != (operator is None):
            raise NotExecutable(
                format_lazy(_("There is no operator {username}."), username=payload.username)
                if operator is None
                else format_lazy(_("There is an operator {username} already."), username=payload.username)
            )
        if operator is None:
            require_distinct(payload.username)
        before = NONE
        if operator:
            before = _("active") if operator.is_active else _("deactivated")
        if operator and operator.is_active == (payload.act == "reactivate"):
            raise NotExecutable(
                format_lazy(_("{username} is {state}."), username=payload.username, state=before)
            )
        roles = listed(roles_of(operator) if operator else payload.roles)
        changes = [
            Change(_("Account"), before, _("active, with a one-time log-in link")),
            Change(_("Roles"), roles if operator else NONE, roles),
        ]
        says = [*person(payload), format_lazy(WHO_HAS_BOTH, name=payload.username)]
        key = str(operator.pk) if operator else ""
        return Preview(Subject(self.about, key, payload.username), changes, says)

    def execute(self, payload: AccountPayload, execution: Execution) -> str:
        link_hash, by = bytes.fromhex(payload.link_hash), execution.requester
        if not execution.secret:
            raise NotExecutable(
                _("It was requested with an earlier release, without a code: request it again.")
            )
        try:
            if payload.act == "make":
                create_operator(
                    username=payload.username,
                    first_name=payload.first_name,
                    last_name=payload.last_name,
                    email=payload.email,
                    roles=payload.roles,
                    link_hash=link_hash,
                    by=by,
                )
            elif payload.act == "reactivate":
                reactivate_operator(self.made(payload).pk, link_hash=link_hash, by=by)
            else:
                reset_login(self.made(payload).pk, link_hash=link_hash, by=by)
        except OperatorRefused as problem:
            raise NotExecutable(*problem.args) from problem
        return format_lazy(
            _("The log-in link of {username} works from now on, once, and for a limited time."),
            username=payload.username,
        )


ROLE_GRANT, ACCOUNT_OPENING = RoleGrant(), AccountOpening()


def locked(username: str) -> Operator | None:
    """The operator, locked; None if there is none."""
    return Operator.objects.select_for_update().filter(username=username).first()


def require_distinct(username: str) -> None:
    """Raises `NotExecutable` if a new name could be taken for another one, in a list or in the journal."""
    if Operator.objects.filter(username__iexact=username).exists():
        raise NotExecutable(
            format_lazy(_("There is an operator of the name {username} in another case."), username=username)
        )
    if actor_of(username) != f"operator:{username}":
        raise NotExecutable(_("The name is too long: the journal would cut it off."))


def person(payload: AccountPayload) -> list[str]:
    """Who a new operator is, in a sentence, if the request says so."""
    names = [f"{payload.first_name} {payload.last_name}".strip(), payload.email]
    said = ", ".join(name for name in names if name)
    return [format_lazy(_("It is for {said}."), said=said)] if said else []


def roles_of(operator: Operator) -> list[str]:
    """The names of an operator's roles, sorted."""
    return sorted(operator.groups.values_list("name", flat=True))


def listed(roles: list[str] | set[str]) -> str:
    return ", ".join(sorted(roles)) or NONE
