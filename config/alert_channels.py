"""Settings of who hears of alerts (docs/operations.md)."""

from decimal import Decimal, InvalidOperation

from django.core.exceptions import ImproperlyConfigured

from config.environment import env


def amounts(name: str, default: str) -> dict[str, Decimal]:
    """The environment variable `name` as amounts in major units by currency; "" stands for all others."""
    found = {}
    for word in env.list(name, default=default.split(",")):
        code, _, amount = word.rpartition(":")
        try:
            found[code] = Decimal(amount)
        except InvalidOperation:
            found[code] = Decimal("NaN")
        if not found[code].is_finite() or found[code] < 0:
            raise ImproperlyConfigured(f"{name} must be an amount, and others by currency: 10000,XAG:250000.")
    if "" not in found:
        raise ImproperlyConfigured(f"{name} must name an amount for currencies that have none of their own.")
    return found


# Who is told by POST, signed by Standard Webhooks with the secret (whsec_…).
ALERT_WEBHOOK_URL: str = env.str("ALERT_WEBHOOK_URL", default="")
ALERT_WEBHOOK_SECRET: str = env.str("ALERT_WEBHOOK_SECRET", default="")
# The mildest alerts that are told there: notice, warning or critical.
ALERT_WEBHOOK_SEVERITY: str = env.str("ALERT_WEBHOOK_SEVERITY", default="notice")
# Who gets a mail, through the server of EMAIL_URL (smtp+tls://user:password@host:587), from EMAIL_FROM.
ALERT_EMAILS: list[str] = env.list("ALERT_EMAILS", default=[])
ALERT_EMAILS_SEVERITY: str = env.str("ALERT_EMAILS_SEVERITY", default="warning")
MAIL_SERVER = {
    **env.email_url("EMAIL_URL", default="dummymail://"),
    "EMAIL_TIMEOUT": 10.0,
    "DEFAULT_FROM_EMAIL": env.str("EMAIL_FROM", default=""),
}
# What somebody should hear of: money made by hand at once, and on one day (UTC).
ALERT_AMOUNT = amounts("ALERT_AMOUNT", "10000")
ALERT_AMOUNT_PER_DAY = amounts("ALERT_AMOUNT_PER_DAY", "50000")
# If every standby is further behind, in seconds; 0 where none has to follow.
ALERT_STANDBY_LAG = env.int("ALERT_STANDBY_LAG", default=0)
if ALERT_STANDBY_LAG < 0:
    raise ImproperlyConfigured("ALERT_STANDBY_LAG must be at least 0 seconds.")
