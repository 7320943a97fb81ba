"""Each fault of docs/reliability.md a few times, as `make proofs` has it many times.

PostgreSQL is stopped in test_servers.py.
"""

import pytest

from tests.faults.platform_processes import Platform
from tests.faults.proofs import broker_away
from tests.faults.proofs.all_proofs import ON_SMALL_DISKS, PROOFS, why_not
from tests.faults.proofs.proof import Proof

DURABLE = True


def prove(name: str, platform: Platform, times: int) -> Proof:
    """Fails if an answer is lost, or anything does not come back without a hand."""
    return PROOFS[name][0](platform, times)


def unless_it_cannot_be_tried(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(why_not(name)), reason=why_not(name) or "it can be tried")


@unless_it_cannot_be_tried("disk")
@pytest.mark.parametrize("name", sorted(ON_SMALL_DISKS))
def test_full_disk__refuses_and_comes_back_without_a_hand(platform: Platform, name: str) -> None:
    proof = prove(name, platform, 1)
    assert sum(player.statuses[503] for player in proof.players) > 20


def test_connection__cut_after_commit_was_sent_loses_no_answer(platform: Platform) -> None:
    assert prove("cuts", platform, 30).times >= 30


def test_clock__stepped_forward_and_back_changes_nothing(platform: Platform) -> None:
    assert prove("clock", platform, 3).times == 3


def test_broker__without_memory_costs_only_time(platform: Platform) -> None:
    """The other ways are in test_broker.py."""
    assert broker_away.prove(platform, 1, ["out of memory"]).times == 1


def test_names__away_hold_up_no_call_and_settle_nothing(platform: Platform) -> None:
    assert prove("names", platform, 1).times == 2
