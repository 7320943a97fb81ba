"""What `make quick` leaves out.

Whole files and folders here, single tests by `@pytest.mark.slow` or because they use the `server` or the
`own_standby`.
"""

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent

SLOW_PLACES = (
    # They start servers, workers or a browser.
    "attack",
    "benchmarks",
    "browser",
    "config/home/test_first_steps.py",
    "clients/kit/test_archive.py",
    "clients/kit/test_command.py",
    "clients/kit/test_management_command.py",
    "clients/kit/test_planted.py",
    "clients/kit/wallet/test_control.py",
    "clients/python/test_package.py",
    "config/distribution/test_cluster.py",
    "config/launcher",
    "config/recovery",
    "config/test_broker_transport.py",
    "config/test_exceptions.py",
    "config/test_health.py",
    "config/test_logs.py",
    "config/test_metrics.py",
    "config/test_telemetry.py",
    "config/test_nginx.py",
    "config/test_web_calls.py",
    "config/test_web_reload.py",
    "config/test_web_kinds.py",
    "config/test_web_worker.py",
    "config/test_refusals.py",
    "demo/clock",
    "demo/lobby",
    "documents",
    "deploy",
    "faults",
    "lib/test_background.py",
    "payments/sandbox",
    "simulation",
    # They make a database of their own.
    "lib/test_collate_c.py",
    "lib/test_collations.py",
    "lib/test_sql_functions.py",
    "wallet/events/test_kept.py",
    "wallet/events/test_proof.py",
    "wallet/audit/test_daily_totals.py",
    "wallet/audit/test_duplicates.py",
    "wallet/audit/test_ledger.py",
    "wallet/audit/test_ledger_tampering.py",
    "wallet/audit/test_passes.py",
    "wallet/audit/test_scheduled.py",
    "wallet/checkpoints",
    "players/audit_trail/test_chain.py",
    "payments/test_migrations.py",
    "payments/test_what_stays.py",
    "wallet/reports/test_account_summary.py",
    "wallet/reports/test_dormant_accounts.py",
    "wallet/reports/test_of_history.py",
    "wallet/test_figures.py",
    "wallet/test_migrations.py",
    "wallet/test_migrations_reference.py",
    # They race, wait, or play at random.
    "config/test_api_document.py",
    "config/test_openapi.py",
    "config/test_rights.py",
    "config/test_read_only_database.py",
    "mutation",
    "payments/callbacks/test_fuzz.py",
    "payments/callbacks/test_intake_copies.py",
    "payments/deliveries",
    "payments/history",
    "payments/refunds",
    "payments/settlement/test_model.py",
    "wallet/api/test_views_races.py",
    "wallet/api/test_views_random.py",
    "wallet/settlement/test_sweep.py",
    "wallet/test_ledger_queue.py",
    "wallet/sql/test_locking.py",
    "wallet/sql/test_many_equality.py",
    "wallet/sql/test_sweep.py",
    # They are long tables, or open a page after another.
    "config/admin",
    "payments/admin",
    "payments/checkout/test_slow_providers.py",
    "payments/checkout/test_views.py",
    "payments/providers/stripe_checkout",
    "payments/settlement/test_matrix.py",
    "players/admin",
    "players/approvals",
    "players/logins",
    "players/test_demo.py",
    "wallet/api/test_views_state_table.py",
    "wallet/admin",
    "wallet/test_retention.py",
)


def is_slow(path: Path) -> bool:
    """Whether a file or folder of tests is left out as a whole."""
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).as_posix() in SLOW_PLACES
