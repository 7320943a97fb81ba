"""For every kind of act that needs a second person: acts of it in random states. A new kind needs one."""

from collections.abc import Callable

from tests.support.kind_cases import payments, players, wallet
from tests.support.kind_cases.case import Case, Draw

CASES: dict[str, Callable[[Draw], Case]] = {**players.CASES, **wallet.CASES, **payments.CASES}
