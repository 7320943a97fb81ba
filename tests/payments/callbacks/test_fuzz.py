"""Ten thousand changed callbacks in every test run; a million with `make fuzz`."""

import random
from collections import Counter

import pytest
from django.conf import settings

from payments.models import Callback
from tests.payments.fuzz.calls import Subject
from tests.payments.fuzz.subjects import make_subjects
from tests.payments.fuzz.trials import MOST_SHOWN, Tally, fuzz_http, fuzz_providers, fuzz_signatures
from tests.support.callers import holding
from tests.support.invariants import problems_of
from tests.support.shop import ShopSetup, fresh, story_of

SEED = random.SystemRandom().randrange(10**6)


@pytest.fixture
def subjects(shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch) -> list[Subject]:
    # Put back afterwards.
    monkeypatch.setattr(settings, "DEMO", True)
    return make_subjects(shop_setup)


def test_callback__8000_mutations_are_never_taken_for_genuine(subjects: list[Subject]) -> None:
    tally = Tally()
    fuzz_signatures(subjects, 8000, random.Random(SEED), tally)
    assert tally.wrong[:MOST_SHOWN] == [], f"seed {SEED}"
    # Both kinds were among them.
    assert tally.still_genuine > 100
    assert tally.outcomes["refused"] > 4000


def test_callback__1500_mutations_over_http_never_count_or_crash(
    subjects: list[Subject],
) -> None:
    tally = Tally()
    fuzz_http(subjects, 1500, random.Random(SEED), tally)
    assert tally.wrong[:MOST_SHOWN] == [], f"seed {SEED}"
    for subject in subjects:
        # Whatever arrived: what was signed is what was acted on, once.
        taken = Callback.objects.filter(provider_id=subject.terms.id, outcome="acted")
        assert set(Counter(taken.values_list("order", flat=True)).values()) <= {1}
        order = fresh(subject.order)
        if order.paid_at:
            assert [event for event in story_of(order) if event[0] != "started"] == [
                ("created", "created"),
                ("payment.succeeded", "delivered"),
            ]
        assert holding(order.player).spendable == (500_00 if order.paid_at else 0)


def test_callback__500_signed_nonsense_bodies_are_answered(subjects: list[Subject]) -> None:
    tally = Tally()
    fuzz_providers(subjects, 500, random.Random(SEED), tally)
    assert tally.wrong[:MOST_SHOWN] == [], f"seed {SEED}"
    assert tally.outcomes["contradicts"] > 50
    assert problems_of(*{subject.order.player for subject in subjects}) == []
