"""Significant events: what whoever supervises the platform wants to hear of, in the order of time."""

from lib.backoffice.languages import _
from wallet.reports.days import by_days
from wallet.reports.report import Column, Look, Report
from wallet.reports.significant_acts import changes_of_parameters, failed_logins, outages
from wallet.reports.significant_money import adjustments, large_amounts

REPORT = Report(
    name="significant-events",
    title=_("Significant events"),
    question=_("What happened that somebody should know of, what was it before and after, and who did it?"),
    rule="GLI-19 3.0, 2.8.8, 2.9.5",
    note=_(
        "Wins, withdrawals and payments of REPORT_AMOUNT and more, those of one player and day that come to "
        "REPORT_AMOUNT_PER_DAY, debt, adjustments; and if no currency is chosen, failed log-ins and "
        "lock-outs of operators, outages, and changes of what the platform is set to. Nobody is named as "
        "the approver of what one person may do alone."
    ),
    columns=(
        Column(_("When (UTC)"), Look.TIME),
        Column(_("What")),
        Column(_("About")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Amount"), Look.AMOUNT),
        Column(_("Before")),
        Column(_("After")),
        Column(_("By, or from")),
        Column(_("Approved by")),
        Column(_("Reason")),
        Column(_("Transaction"), Look.ID),
    ),
    # It tells of operators' log-ins and of all that they set.
    permissions=(
        "wallet.view_closedday",
        "wallet.view_transaction",
        "players.view_player",
        "players.read_audit",
    ),
    read=by_days([large_amounts, adjustments, failed_logins, outages, changes_of_parameters]),
)
