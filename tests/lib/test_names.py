"""Names of any script are taken, stored in one form, and found in any case."""

import pytest

from lib.names import KEY_LENGTH, holds_refused, normal_form, search_key
from tests.support.names import NAMES

REFUSED = ["\x00", "\n", "\t", "\x1b", "\x7f", "\x85", "\u202a", "\u202e", "\u2066", "\u2069", "\ud800"]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name__of_any_script_is_taken_as_it_is(name: str) -> None:
    assert not holds_refused(name)
    assert normal_form(name) == name


@pytest.mark.parametrize("character", REFUSED)
def test_name__with_control_or_override_is_refused(character: str) -> None:
    assert holds_refused(f"a{character}b")


def test_name__is_stored_composed() -> None:
    assert (normal_form("Zoe\u0308"), normal_form("\u1112\u1161\u11ab")) == ("Zoë", "한")


@pytest.mark.parametrize(
    ("name", "searched"),
    [
        ("Zoë K.", "zoE\u0308 k."),
        ("Straße", "STRASSE"),
        ("森\u3000小春", "森 小春"),
        ("Zoë\u00a0K.", " ZOË K. "),
        ("\uff21\uff4e\uff4e\uff41", "anna"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
    ],
)
def test_search_key__tells_neither_case_nor_width_apart(name: str, searched: str) -> None:
    assert search_key(name) == search_key(searched) != ""


def test_search_key__fits_its_column() -> None:
    assert len(search_key("\ufdfa" * 64)) == KEY_LENGTH
