"""Whether the acts that need two people have two who may do them."""

from config.roles import ROLES
from players.approvals.kinds import KINDS
from players.approvals.rules import lack


def lacks() -> list[str]:
    """A sentence for each permission that fewer than two have who can log in, though its acts need two."""
    asked: dict[str, list[str]] = {}
    for kind in KINDS.values():
        asked.setdefault(kind.permission, []).append(str(kind.title))
    missing = {permission: lack(permission) for permission in asked}
    return [
        sentence(permission, titles, missing[permission])
        for permission, titles in asked.items()
        if missing[permission]
    ]


def sentence(permission: str, titles: list[str], missing: str) -> str:
    """What is not possible, why, and what helps."""
    roles = " or ".join(role for role, names in ROLES.items() if permission in names)
    return f"Nobody can approve {', '.join(titles)}: {missing}. Give another operator the role {roles}."
