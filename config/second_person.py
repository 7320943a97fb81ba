"""Whether the acts that need two people have two who may do them."""

from config.roles import ROLES
from players.approvals.kinds import KINDS
from players.approvals.rules import LEAST_ABLE, able
from players.models import Operator


def lacks() -> list[str]:
    """A sentence for each permission that fewer than two active operators have, though its acts need two."""
    asked: dict[str, list[str]] = {}
    for kind in KINDS.values():
        asked.setdefault(kind.permission, []).append(kind.title)
    return [
        sentence(permission, titles, [*able(permission)[:LEAST_ABLE]])
        for permission, titles in asked.items()
        if able(permission).count() < LEAST_ABLE
    ]


def sentence(permission: str, titles: list[str], who: list[Operator]) -> str:
    """What is not possible, why, and what helps."""
    named = f"only {who[0].username} may" if who else "no operator may"
    roles = " or ".join(role for role, names in ROLES.items() if permission in names)
    return (
        f"Nobody can approve {', '.join(titles)}: {named} ({permission}), and it takes two. "
        f"Give another operator the role {roles}."
    )
