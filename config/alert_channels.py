"""Settings of who hears of alerts (docs/operations.md)."""

from config.environment import env

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
