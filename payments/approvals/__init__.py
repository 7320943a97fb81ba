"""Acts on payments, and on what opens a way to them, that need a second person."""

from payments.approvals.secrets import ADD_SECRET, RETIRE_SECRET
from players.approvals.kinds import register

register(ADD_SECRET, RETIRE_SECRET)
