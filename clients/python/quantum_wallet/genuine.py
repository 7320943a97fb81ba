"""Whether what comes in is the platform's."""

from collections.abc import Mapping


class NotGenuine(Exception):
    """A message that the platform has not sent, or not lately: answer 401, and do nothing."""


class Untimely(NotGenuine):
    """Signed more than five minutes from now: an old message again, or a clock that is wrong."""


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by its name in lower case, however the framework spells it; empty if there is none."""
    found = headers.get(name)
    if found is None:
        found = next((value for each, value in headers.items() if each.lower() == name), "")
    return found
