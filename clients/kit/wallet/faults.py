"""How the scripted wallet misbehaves: what becomes of which request."""

from dataclasses import dataclass
from enum import Enum


class Act(Enum):
    """What is done to a request; the value says it in a report."""

    NOTHING = "answered"
    LOSE_REQUEST = "not done; closed without a byte"
    LOSE_ANSWER = "done; closed without a byte"
    FAIL_BEFORE = "not done; 500"
    FAIL_AFTER = "done; 500"
    BUSY = "not done; 503 with Retry-After"
    OTHER_ERROR = "not done; error 100"
    HALF_ANSWER = "done; half of the answer, then closed"
    LATE_ANSWER = "done; answered late"
    DOUBLE_REQUEST = "done twice; the second answer was sent"
    DOUBLE_ANSWER = "done; the answer was sent twice"
    SWAP_ANSWERS = "done; answered after the request that came next"
    EXPIRE_FIRST = "the platform had ended it as expired"
    ROLL_BACK_FIRST = "the platform had rolled it back"
    CONTRADICT = "the id was known with other content"
    END_SESSION = "done; then the session ended"


@dataclass(frozen=True, slots=True)
class Fault:
    """Requests of these calls meet an act: of each id the first `times`, from number `after` on."""

    act: Act
    calls: tuple[str, ...]
    times: int = 1
    after: int = 0

    def hits(self, call: str, number: int) -> bool:
        """Whether it is meant for the request with this number, counted for each call and id from 0."""
        return call in self.calls and self.after <= number < self.after + self.times


def act_for(faults: tuple[Fault, ...], call: str, number: int) -> Act:
    """The act that is meant for a request."""
    return next((fault.act for fault in faults if fault.hits(call, number)), Act.NOTHING)
