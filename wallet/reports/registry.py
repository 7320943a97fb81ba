"""All reports, in the order in which they are listed."""

from wallet.reports import (
    account_summary,
    adjustments,
    dormant_accounts,
    game_totals,
    liabilities,
    limits_and_exclusions,
    significant_events,
)
from wallet.reports.report import Report

REPORTS: dict[str, Report] = {
    module.REPORT.name: module.REPORT
    for module in (
        *(account_summary, liabilities, game_totals, adjustments),
        *(limits_and_exclusions, significant_events, dormant_accounts),
    )
}
