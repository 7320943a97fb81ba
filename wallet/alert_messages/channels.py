"""The ways out: a webhook (Standard Webhooks 1.0) and e-mail. Neither touches the database."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from lib.clock import now
from lib.outbound.client import Unanswered, post_json
from lib.security import webhook_signatures
from wallet.alert_messages.contents import Told, mail_subject, mail_text, webhook_body
from wallet.models import AlertMessage


def send(channel: str, address: str, told: Told) -> str:
    """Makes one attempt. Returns why it failed, or nothing; no secret is in that."""
    return send_webhook(told) if channel == AlertMessage.Channel.WEBHOOK else send_mail(address, told)


def send_webhook(told: Told) -> str:
    """A time-out is a failure: the receiver knows a message that comes again by its id."""
    body = webhook_body(told)
    headers = webhook_signatures.headers(
        told.id, int(now().timestamp()), body, [settings.ALERT_WEBHOOK_SECRET]
    )
    try:
        reply = post_json(settings.ALERT_WEBHOOK_URL, body, headers=headers)
    except Unanswered as problem:
        return str(problem)
    return "" if 200 <= reply.status < 300 else f"status {reply.status}"


def send_mail(address: str, told: Told) -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    mail = EmailMessage(
        mail_subject(told),
        mail_text(told),
        to=[address],
        # The same in every attempt: who gets it twice can tell.
        headers={"Message-ID": f"<{told.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except smtplib.SMTPResponseException as problem:
        return f"the mail server refused it with {problem.smtp_code}"
    except smtplib.SMTPRecipientsRefused as problem:
        codes = sorted({str(code) for code, _ in problem.recipients.values()})
        return f"the mail server refused the address with {', '.join(codes)}"
    except (OSError, ValueError) as problem:
        return f"the mail could not be sent: {type(problem).__name__}"
    return ""
