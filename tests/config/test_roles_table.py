"""The table of roles in words: every permission once, and the document as the table is."""

from config.management.commands.document_roles import DOCUMENT
from config.roles import PURPOSES, ROLES
from config.roles_table import acts, pages, with_roles


def test_roles_table__has_every_permission_of_every_role_once() -> None:
    rights = [*acts(), *pages()]
    named = {role: {right.name for right in rights if role in right.roles} for role in ROLES}
    assert named == {role: set(names) for role, names in ROLES.items()}
    assert len({right.name for right in rights}) == len(rights)
    assert list(PURPOSES) == list(ROLES)


def test_roles_table__stands_in_the_document() -> None:
    text = DOCUMENT.read_text()
    assert text == with_roles(text), "run: manage.py document_roles"
    assert "| refund orders | `payments.refund_order` | finance |" in text


def test_roles_table__whatever_is_permitted_of_a_model_without_pages_is_an_act() -> None:
    assert "payments.query_payment" in {right.name for right in acts()}
    assert "payments.query_payment" not in {right.name for right in pages()}
