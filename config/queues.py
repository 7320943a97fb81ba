"""The queues of the broker, and the tasks that wait in each."""

# Settled first. Whatever is not named below goes there, the heartbeat as well.
SETTLE = "settle"
TASKS = {
    # They read the whole ledger.
    "check": (
        "wallet.link_acts",
        "wallet.watch",
        "wallet.audit_recent",
        "wallet.audit_all",
        "wallet.daily_totals",
        "wallet.fold_figures",
        "wallet.fold_calls",
        "wallet.number_events",
        "wallet.make_checkpoint",
        "wallet.purge_expired",
        "payments.reconcile",
    ),
    # They call games.
    "deliver": ("payments.deliver", "payments.deliver_due", "payments.sandbox_call_back"),
    # They call providers, and whoever hears of alerts and events.
    "refund": ("payments.refund", "payments.settle_refunds", "wallet.tell_alerts", "payments.push_events"),
}
QUEUES = (SETTLE, *TASKS)
ROUTES = {task: {"queue": queue} for queue, tasks in TASKS.items() for task in tasks}
