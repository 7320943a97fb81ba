"""All planted bugs, by name."""

from tests.clients.kit.planted.answer_faults import ANSWER_FAULTS
from tests.clients.kit.planted.ledger_faults import LEDGER_FAULTS
from tests.clients.kit.planted.request_faults import REQUEST_FAULTS

FAULTS = {fault.name: fault for fault in (*LEDGER_FAULTS, *ANSWER_FAULTS, *REQUEST_FAULTS)}
