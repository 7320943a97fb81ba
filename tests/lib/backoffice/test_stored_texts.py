"""What is stored in English is shown in the operator's language, with the same values."""

import pytest
from django.utils import translation

from lib.backoffice.stored_texts import reworded, reworded_failure, reworded_later

CASES = [
    # A text without values, one with some, and one of two sentences.
    ("the amount is not the order's price", "der Betrag ist nicht der Preis der Bestellung"),
    ("Refund 4.99 EUR to anna", "4.99 EUR an anna erstatten"),
    (
        "Executed alone. 5.00 XAG written off; debt after it: 0.00 XAG.",
        "Allein ausgeführt. 5.00 XAG ausgebucht; Schuld danach: 0.00 XAG.",
    ),
    # Values that are texts of ours themselves.
    ("Change the status of anna from blocked to active", "Status von anna von gesperrt zu aktiv ändern"),
    (
        "no answer (it answered about another order)",
        "keine Antwort (die Antwort betraf eine andere Bestellung)",
    ),
    # One and several, which pages word by the number.
    ("1 session was ended.", "1 Sitzung wurde beendet."),
    ("12 sessions were ended.", "12 Sitzungen wurden beendet."),
    ("Cleared: 12 sessions, 3 refused callbacks.", "Gelöscht: 12 Sitzungen, 3 abgelehnte Callbacks."),
    # What others have said.
    ("Your card was declined.", "Your card was declined."),
    ("the amount is not {the} price", "the amount is not {the} price"),
    ("", ""),
]


@pytest.mark.parametrize(("stored", "german"), CASES)
def test_reworded__is_in_the_language_of_the_page(stored: str, german: str) -> None:
    with translation.override("de"):
        assert reworded(stored) == german
    assert reworded(stored) == stored


def test_reworded__keeps_values_that_look_like_texts() -> None:
    with translation.override("de"):
        assert reworded("Refund 4.99 EUR to order") == "4.99 EUR an order erstatten"


def test_reworded_failure__keeps_the_word_for_programs() -> None:
    with translation.override("de"):
        shown = reworded_failure("timeout: no complete answer in time")
    assert shown == "timeout: keine vollständige Antwort innerhalb der Frist"


def test_reworded_later__takes_the_language_in_which_it_is_shown() -> None:
    told = reworded_later("Refund 4.99 EUR to anna")
    assert str(told) == "Refund 4.99 EUR to anna"
    with translation.override("de"):
        assert str(told) == "4.99 EUR an anna erstatten"
