"""What callers send about players and sessions, and how it is read (contract 1, 2 and 3)."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lib.clock import now
from lib.http.errors import invalid
from lib.names import MOST_DECOMPOSED, holds_refused, normal_form
from lib.security.tokens import token_hash
from players.exclusions import LONGEST_EXCLUSION
from players.models import MOST_NICKNAME, UID_PATTERN

UID = re.compile(UID_PATTERN + r"\Z")
# RFC 3339, which the front writes; Python reads more.
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

Token = Annotated[str, Meta(description="The player's session token.", extra_json_schema={"format": "uuid"})]
Uid = Annotated[
    str,
    Meta(
        pattern=rf"^{UID_PATTERN}\Z",
        description="The platform's name for the player.",
        extra_json_schema={"pattern": f"^{UID_PATTERN}$"},
    ),
]
Language = Annotated[
    str,
    Meta(
        max_length=35,
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z",
        description="BCP 47",
        extra_json_schema={"pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"},
    ),
]
Country = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2", extra_json_schema={"pattern": "^[A-Z]{2}$"}
    ),
]
# What has the wrong form is unknown, too; refused here, it meets neither the database nor a description that
# repeats it.
GameSlug = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z", extra_json_schema={"pattern": "^[A-Za-z0-9_-]{1,40}$"})
]
Nickname = Annotated[
    str,
    Meta(
        # Counted once more as it is stored.
        max_length=MOST_NICKNAME * MOST_DECOMPOSED,
        description="In any script, stored as NFC. Neither control characters nor direction overrides.",
        extra_json_schema={"maxLength": MOST_NICKNAME},
    ),
]
Status = Annotated[
    str,
    Meta(
        pattern=r"^(active|blocked|self_excluded|closed)\Z",
        extra_json_schema={"enum": ["active", "blocked", "self_excluded", "closed"]},
    ),
]

Moment = Annotated[
    str,
    Meta(
        description="RFC 3339, with its offset. Absent: for good.", extra_json_schema={"format": "date-time"}
    ),
]

Confirm = Annotated[
    bool,
    Meta(
        description="true, without until: the player confirms that the exclusion is lifted, to which "
        "operators have agreed. Possible from the player's liftableAt on.",
        extra_json_schema={"enum": [True]},
    ),
]


class PutPlayerRequest(msgspec.Struct):
    """PUT /entry/players/<uid>."""

    nickname: Nickname | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    status: Status | UnsetType = UNSET


class ExcludeRequest(msgspec.Struct):
    """exclude."""

    uid: Uid
    until: Moment | UnsetType = UNSET
    confirm: Confirm | UnsetType = UNSET


class EndSessionRequest(msgspec.Struct):
    """endSession."""

    token: Token


def read_uid(text: str) -> str:
    """A player's uid, as it stands in a path. Raises 101."""
    if not UID.match(text):
        raise invalid("uid must be 1 to 64 letters, digits or . _ : @ -")
    return text


def read_attributes(given: PutPlayerRequest) -> dict[str, str]:
    """What is told about a player, but for the status; what is absent keeps its value. Raises 101."""
    attributes = {
        name: value
        for name in ("nickname", "country", "language")
        if (value := getattr(given, name)) is not UNSET
    }
    if "nickname" in attributes:
        attributes["nickname"] = read_nickname(attributes["nickname"])
    return attributes


def read_confirm(given: ExcludeRequest) -> bool:
    """Whether the player confirms the end of an exclusion, or begins one. Raises 101 for what is neither."""
    if given.confirm is UNSET:
        return False
    if not given.confirm or given.until is not UNSET:
        raise invalid("confirm must be true, and stands without until.")
    return True


def read_end(text: str) -> datetime:
    """The end of an exclusion, in the future and within 100 years. Raises 101."""
    try:
        moment = datetime.fromisoformat(text) if MOMENT.match(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise invalid("until must be a moment such as 2027-01-31T00:00:00Z.")
    at = now()
    if not at < moment < at + LONGEST_EXCLUSION:
        raise invalid("until must be in the future, and within 100 years.")
    return moment


def read_nickname(text: str) -> str:
    """A player's name as it is stored. Raises 101."""
    if holds_refused(text):
        raise invalid("nickname must not hold control characters or direction overrides.")
    name = normal_form(text)
    if len(name) > MOST_NICKNAME:
        raise invalid(f"nickname must have at most {MOST_NICKNAME} characters.")
    return name


def read_uuid(text: str) -> UUID:
    """A session token. Raises 101 if it is no UUID."""
    if not UUID_TEXT.match(text):
        raise invalid("token must be a UUID.")
    return UUID(text)


def read_token(text: str) -> bytes:
    """The hash of a session token. Raises 101 if it is no UUID."""
    return token_hash(read_uuid(text))
