"""When each sweep runs."""

from celery.schedules import crontab

from config.environment import env

# How often each sweep runs, in seconds; those of the night at an hour and minute (UTC).
SETTLE_SECONDS = env.float("SETTLE_SECONDS", default=30.0)
RECENT_AUDIT_SECONDS = env.float("RECENT_AUDIT_SECONDS", default=300.0)
PULSE_SECONDS = env.float("PULSE_SECONDS", default=15.0)
# Deliveries to games and refunds that are due; each is tried at once besides.
DELIVER_SECONDS = env.float("DELIVER_SECONDS", default=5.0)
REFUND_SECONDS = env.float("REFUND_SECONDS", default=10.0)
# Events get their positions, and are sent to who wants them; whoever reads the feed numbers besides.
EVENT_SECONDS = env.float("EVENT_SECONDS", default=10.0)
# A message that nobody took is left out when it is so old, in seconds: the next one does the same work.
# Who sends and who receives go by clocks of their own here, so this must be longer than those can be apart.
MESSAGE_SECONDS = 3600.0
# Name, seconds or a time of day, and after how many seconds a message that nobody took is left out.
BEAT = [
    ("wallet.pulse", PULSE_SECONDS, MESSAGE_SECONDS),
    ("wallet.settle_due", SETTLE_SECONDS, MESSAGE_SECONDS),
    ("payments.expire_orders", 60.0, MESSAGE_SECONDS),
    ("payments.deliver_due", DELIVER_SECONDS, MESSAGE_SECONDS),
    ("payments.settle_refunds", REFUND_SECONDS, MESSAGE_SECONDS),
    ("wallet.number_events", EVENT_SECONDS, MESSAGE_SECONDS),
    ("payments.push_events", EVENT_SECONDS, MESSAGE_SECONDS),
    ("wallet.tell_alerts", 10.0, MESSAGE_SECONDS),
    ("wallet.link_acts", 60.0, MESSAGE_SECONDS),
    ("wallet.watch", 60.0, MESSAGE_SECONDS),
    # People hear of it within a minute.
    ("payments.watch_callbacks", 30.0, MESSAGE_SECONDS),
    ("payments.verify_refused", 30.0, MESSAGE_SECONDS),
    ("payments.query_payments", 30.0, MESSAGE_SECONDS),
    ("payments.reconcile", 30.0, MESSAGE_SECONDS),
    ("wallet.fold_figures", 60.0, MESSAGE_SECONDS),
    ("wallet.fold_calls", 60.0, MESSAGE_SECONDS),
    ("wallet.audit_recent", RECENT_AUDIT_SECONDS, MESSAGE_SECONDS),
    ("wallet.expire_approvals", 60.0, MESSAGE_SECONDS),
    ("wallet.end_exclusions", 60.0, MESSAGE_SECONDS),
    ("wallet.purge_expired", crontab(minute="50"), MESSAGE_SECONDS),
    # By night, in this order: the day's accounts, then the whole ledger, then the statement that it was so.
    ("wallet.daily_totals", crontab(hour="1", minute="10"), 6 * 3600),
    ("wallet.audit_all", crontab(hour="1", minute="40"), 6 * 3600),
    ("wallet.make_checkpoint", crontab(hour="4", minute="10"), 6 * 3600),
]
CELERY_BEAT_SCHEDULE = {
    task.partition(".")[2]: {"task": task, "schedule": schedule, "options": {"expires": expires}}
    for task, schedule, expires in BEAT
}
