"""Starts that are refused, each with a sentence that says what to change."""

import importlib
import logging
import os
from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses, ip_address
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Advice
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.db import connection

from lib.collations import changed_collations
from lib.database import FAILURES, drop_unfit_connection
from lib.http.addresses import Network, parse_networks
from lib.outbound.client import Unanswered, parse_target
from lib.security.webhook_signatures import key_of
from players.query_passwords import shared_query_passwords
from wallet.alert_messages.recipients import SEVERITIES, recipients

logger = logging.getLogger(__name__)

# Names that no stranger's resolver knows (RFC 6761, 6762 and 8375, and what private networks use).
LOCAL_NAMES = (".localhost", ".local", ".test", ".example", ".invalid", ".internal", ".lan", ".home.arpa")
# A network of more addresses than this holds strangers: 10.0.0.0/8 and fc00::/7 are the widest private ones.
WIDEST = {4: 8, 6: 7}
# Random texts of 32 characters have more different ones than this, but for one in millions.
LEAST_DIFFERENT = 8
# How OpenTelemetry sends spans, if nothing else is set.
SPAN_BOUNDS = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "2048",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512",
    "OTEL_BSP_SCHEDULE_DELAY": "5000",
}
OWNER = """
    SELECT current_user FROM pg_class
    WHERE oid = to_regclass('wallet_entry') AND pg_has_role(current_user, relowner, 'MEMBER')
"""
CLOCK_SOURCE = "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('public.wallet_now()')"


def refuse_start() -> None:
    """Raises `ImproperlyConfigured` if web server, worker or beat must not start so."""
    try:
        sentences = [*settings_refusals(), *database_refusals()]
    finally:
        # This thread's own, which serves nobody.
        connection.close()
    if sentences:
        raise ImproperlyConfigured("\n".join(sentences))


def check_deployment(**ignored: Any) -> list[CheckMessage]:
    """The same for `manage.py check --deploy`, and what is unwise."""
    sentences = (*settings_refusals(), *database_refusals())
    refused: list[CheckMessage] = [Error(sentence, id="config.E001") for sentence in sentences]
    if not recipients():
        nobody = "Nobody hears of alerts: set ALERT_WEBHOOK_URL or ALERT_EMAILS."
        refused.append(Advice(nobody, id="config.W001"))
    return refused


def settings_refusals() -> Iterator[str]:
    """What the settings say against a start."""
    yield from demonstrations_in_public()
    yield from trusted_strangers()
    yield from repeated_secrets()
    yield from simple_secrets()
    yield from untold_alerts()
    yield from untraceable()


def database_refusals() -> Iterator[str]:
    """What the database says against a start. One that is away says nothing: `/readyz` asks again."""
    try:
        yield from owners_as_application()
        yield from movable_clocks()
        yield from map(str, changed_collations())
        yield from query_passwords_of_others()
    except FAILURES as problem:
        drop_unfit_connection(problem)
        logger.warning("the database could not be asked whether it is fit: %s", problem)


# --- Settings -----------------------------------------------------------------------------------------


def demonstrations_in_public() -> Iterator[str]:
    """Known passwords, and pages that show settings, are for one machine."""
    for name in ("DEMO", "DEBUG"):
        for where, host in named_hosts() if getattr(settings, name) else ():
            if is_public(host):
                yield (
                    f"{name} is for one machine or a private network, and {host} ({where}) is public: "
                    f"unset {name}, or name another host."
                )


def named_hosts() -> Iterator[tuple[str, str]]:
    """Each host that the settings name as ours, after the setting's name."""
    yield from (("ALLOWED_HOSTS", host) for host in settings.ALLOWED_HOSTS)
    yield from (("CSRF_TRUSTED_ORIGINS", host_of(origin)) for origin in settings.CSRF_TRUSTED_ORIGINS)
    yield "PUBLIC_URL", host_of(settings.PUBLIC_URL)
    yield "HOST", os.environ.get("HOST", "")


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_public(host: str) -> bool:
    """Whether strangers may reach a host by this name or address."""
    host = host.strip("[]*.").lower()
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(LOCAL_NAMES)


def trusted_strangers() -> Iterator[str]:
    """Whose words are believed, or who may be called, is few and known."""
    for name, why in (
        ("TRUSTED_PROXIES", "any caller could then name an address of its own choice"),
        ("OUTGOING_ALLOWED_NETWORKS", "a game's URL could then lead to any private address"),
    ):
        for network in widest(parse_networks(tuple(getattr(settings, name)))):
            yield (
                f"{name} covers {network}, which holds strangers: {why}. Name the addresses themselves, such "
                "as 127.0.0.1 or 10.0.0.0/8."
            )
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        yield (
            "BEHIND_TLS_PROXY believes X-Forwarded-Proto of TRUSTED_PROXIES alone, and these are empty: set "
            "TRUSTED_PROXIES to the proxy's address, or unset BEHIND_TLS_PROXY."
        )


def widest(networks: Iterable[Network]) -> Iterator[Network]:
    """Those that are too wide, after neighbours are put together: two halves are a whole."""
    for version, least in WIDEST.items():
        ours: Any = [network for network in networks if network.version == version]
        yield from (network for network in collapse_addresses(ours) if network.prefixlen < least)


def repeated_secrets() -> Iterator[str]:
    """Who knows one secret must not know another."""
    for (name, value), (other, same) in combinations(named_secrets(), 2):
        if name != other and value == same:
            yield f"{name} and {other} have the same value: give each secret a value of its own."


def simple_secrets() -> Iterator[str]:
    """Long is not enough."""
    for name, value in named_secrets():
        if not name.startswith("the password") and is_simple(value):
            yield (
                f"{name} is too simple: it repeats itself. Take a random one, for example the output of: "
                "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )


def named_secrets() -> list[tuple[str, str]]:
    """Each secret of the settings after its name; earlier values stand under the name of today's."""
    named = [
        *(("SECRET_KEY", key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)),
        ("CREDENTIAL_KEY", settings.CREDENTIAL_KEY),
        *(("ENCRYPTION_KEYS", key) for key in settings.ENCRYPTION_KEYS),
        *(("CHECKPOINT_KEY", key.strip()) for key in settings.CHECKPOINT_KEY.split(",")),
        ("METRICS_TOKEN", settings.METRICS_TOKEN),
        ("ALERT_WEBHOOK_SECRET", settings.ALERT_WEBHOOK_SECRET),
        ("the password in EMAIL_URL", settings.EMAIL_HOST_PASSWORD or ""),
        ("the password in DATABASE_URL", settings.DATABASES["default"].get("PASSWORD", "")),
        ("the password in REDIS_URL", urlsplit(settings.REDIS_URL).password or ""),
    ]
    return [(name, value) for name, value in named if value]


def is_simple(secret: str) -> bool:
    """Whether a text has few different characters, or is one part again and again."""
    return len(set(secret)) < LEAST_DIFFERENT or secret in (secret + secret)[1:-1]


# --- Who hears of alerts ------------------------------------------------------------------------------


def untold_alerts() -> Iterator[str]:
    """Whoever should hear of alerts must be reachable, before there are any."""
    for name in ("ALERT_WEBHOOK_SEVERITY", "ALERT_EMAILS_SEVERITY"):
        if getattr(settings, name) not in SEVERITIES:
            yield f"{name} must be {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}."
    if settings.ALERT_WEBHOOK_URL:
        yield from bad_alert_webhook(settings.ALERT_WEBHOOK_URL)
    if settings.ALERT_EMAILS:
        yield from bad_alert_mail()


def bad_alert_webhook(url: str) -> Iterator[str]:
    yield from bad_address("ALERT_WEBHOOK_URL", url, "others could read and forge what it is told")
    try:
        key_of(settings.ALERT_WEBHOOK_SECRET)
    except ValueError as problem:
        yield (
            f"ALERT_WEBHOOK_SECRET signs what ALERT_WEBHOOK_URL is told. {problem} Make one with: python -c "
            "'import base64, secrets; print(\"whsec_\" + base64.b64encode(secrets.token_bytes(32)).decode())'"
        )


def bad_address(name: str, url: str, risk: str) -> Iterator[str]:
    """Why the platform cannot call the address that a setting has, or should not without encryption."""
    try:
        parse_target(url)
    except Unanswered as problem:
        yield f"{name} cannot be called: {problem}."
    else:
        if not url.startswith("https://") and is_public(host_of(url)):
            yield f"{name} must begin with https://: {risk}."


def bad_alert_mail() -> Iterator[str]:
    if settings.EMAIL_BACKEND.endswith(".dummy.EmailBackend"):
        yield "ALERT_EMAILS needs a mail server: set EMAIL_URL, such as smtp+tls://user:password@host:587."
    for name, address in (
        ("EMAIL_FROM", settings.DEFAULT_FROM_EMAIL),
        *(("ALERT_EMAILS", address) for address in settings.ALERT_EMAILS),
    ):
        try:
            validate_email(address)
        except ValidationError:
            yield f"{name} must name e-mail addresses, such as alerts@example.com: {address!r} is none."


# --- Traces -------------------------------------------------------------------------------------------


def untraceable() -> Iterator[str]:
    """Whoever asks for traces must get them, and nobody else."""
    if not settings.TELEMETRY:
        return
    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT
    try:
        importlib.import_module("lib.telemetry.recorder")
    except ImportError:
        yield (
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and OpenTelemetry is not installed: install what "
            "requirements-telemetry.lock names, or unset it."
        )
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") not in (None, "", "http/protobuf"):
        yield "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: nothing else is spoken here."
    yield from bad_address("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "others could read what is sent")
    yield from bad_span_bounds()


def bad_span_bounds() -> Iterator[str]:
    """OpenTelemetry itself would end a web server's start by words of its own, and a worker would record
    nothing.
    """
    bounds = {name: os.environ.get(name) or usual for name, usual in SPAN_BOUNDS.items()}
    wrong = [name for name, value in bounds.items() if not (value.isdecimal() and int(value))]
    yield from (f"{name} must be a whole number above 0: {bounds[name]!r} is none." for name in wrong)
    queue, batch = bounds["OTEL_BSP_MAX_QUEUE_SIZE"], bounds["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"]
    if not wrong and int(batch) > int(queue):
        yield (
            f"OTEL_BSP_MAX_EXPORT_BATCH_SIZE ({batch}) must not be above OTEL_BSP_MAX_QUEUE_SIZE ({queue}): "
            "so many spans never wait to be sent together."
        )


# --- The database -------------------------------------------------------------------------------------


def owners_as_application() -> Iterator[str]:
    """The guarantees of money stand on the application's role, which owns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(OWNER)
        for (role,) in cursor.fetchall():
            yield (
                f"DATABASE_URL connects as {role}, who owns the tables of money and could change history: "
                f"connect as the application's role ({settings.DATABASE_APP_ROLE}), and as the owner only to "
                "migrate."
            )


def movable_clocks() -> Iterator[str]:
    """Whoever can move the clock decides when transactions are due: that is for demonstrations."""
    if apps.is_installed("demo"):
        return
    with connection.cursor() as cursor:
        cursor.execute(CLOCK_SOURCE)
        if any("demo_clock" in source for (source,) in cursor.fetchall()):
            yield (
                "The database has the demonstration's clock, which can be moved: run `manage.py migrate` as "
                "its owner, without DEMO, or set DEMO where a demonstration is meant."
            )


def query_passwords_of_others() -> Iterator[str]:
    """Who is asked with a password learns it."""
    for game, other in shared_query_passwords():
        yield (
            f"The query password of the game {game} is also {other}: whoever is asked with it could use it. "
            f"Agree on another with the game, and enter it: manage.py query_password {game}"
        )
