"""All checks, by category, in the order in which they run."""

from clients.kit.checks.attack import ATTACK
from clients.kit.checks.authentication import AUTHENTICATION
from clients.kit.checks.deadlines import DEADLINES
from clients.kit.checks.exact_money import EXACT_MONEY
from clients.kit.checks.happy import HAPPY
from clients.kit.checks.idempotency import IDEMPOTENCY
from clients.kit.checks.races import RACES
from clients.kit.checks.two_phase import TWO_PHASE

CATEGORIES = (HAPPY, IDEMPOTENCY, TWO_PHASE, RACES, EXACT_MONEY, AUTHENTICATION, ATTACK, DEADLINES)
CHECKS = tuple(check for category in CATEGORIES for check in category)
