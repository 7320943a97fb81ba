import re
from pathlib import Path

from clients.kit.checks import CATEGORIES, CHECKS
from clients.kit.contract import PARAGRAPHS
from config.environment import BASE_DIR
from tests.clients.kit.document import DOCUMENT, listed

CONTRACT = Path(BASE_DIR / "docs" / "contract.md").read_text()
WANTED = ["happy", "idempotency", "two-phase", "races", "money", "authentication", "attack", "time"]


def test_checks__are_at_least_sixty_in_eight_categories() -> None:
    assert [category.name for category in CATEGORIES] == WANTED
    assert len(CHECKS) >= 60
    assert all(category.checks for category in CATEGORIES)


def test_checks__have_ids_of_their_own() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", check.id) for check in CHECKS)


def test_checks__prove_every_cell_of_the_table() -> None:
    table = CONTRACT.partition("| | nothing known |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines()[2:]]
    cells = [cell for row in rows for cell in row if cell != "\N{EN DASH}"]
    assert len(cells) == len([check for check in CHECKS if check.category == "two-phase"]) == 29


def test_checks__name_paragraphs_that_the_contract_has() -> None:
    assert {check.paragraph for check in CHECKS} <= set(PARAGRAPHS)
    first = CONTRACT.partition("## 1. Transport")[2].partition("\n###")[0]
    for paragraph in PARAGRAPHS:
        section, _, point = paragraph.partition("." if paragraph.startswith("1.") else " ")
        if section == "1" and point.isdigit():
            assert re.search(rf"^{point}\. ", first, re.MULTILINE), paragraph
        else:
            heading = point or section
            assert re.search(rf"^#+ {re.escape(heading)}\.?( |$)", CONTRACT, re.MULTILINE), paragraph


def test_document__lists_every_check() -> None:
    assert DOCUMENT.read_text().endswith(listed())
