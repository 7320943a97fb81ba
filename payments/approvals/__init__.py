"""Acts on payments, and on what opens a way to them, that need a second person."""

from payments.approvals.acceptance import ACCEPT_CALLBACK
from payments.approvals.catalogue import PRODUCT_CHANGE
from payments.approvals.endpoints import PROVIDER_CHANGE, RECEIVER_CHANGE, SHOP_CHANGE
from payments.approvals.refund import REFUND_OF_ORDER
from payments.approvals.secrets import ADD_SECRET, RETIRE_SECRET
from players.approvals.kinds import register

register(
    *(ADD_SECRET, RETIRE_SECRET, PROVIDER_CHANGE, SHOP_CHANGE, RECEIVER_CHANGE, PRODUCT_CHANGE),
    *(REFUND_OF_ORDER, ACCEPT_CALLBACK),
)
