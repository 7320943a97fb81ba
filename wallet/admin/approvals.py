"""The amounts of requests for a second person, and how their list is narrowed by them."""

from typing import ClassVar

from django.contrib import admin

from lib.backoffice.conditions import Condition
from lib.backoffice.languages import _
from players.admin.approvals import ApprovalAdmin
from players.models import Approval
from wallet.admin.amounts import amount_column, amount_conditions


@admin.register(Approval)
class ApprovalWithAmountAdmin(ApprovalAdmin):
    """A request, with the money that it moves, if it moves any."""

    # The title of a request says its amount already.
    further_columns = ("amount_major",)
    conditions: ClassVar[tuple[Condition, ...]] = (
        *ApprovalAdmin.conditions,
        *amount_conditions("amount", "currency_code"),
    )

    amount_major = amount_column(_("amount"), "amount", "currency_code")
