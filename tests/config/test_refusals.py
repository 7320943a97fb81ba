"""Starts that are refused, each with a sentence that says what to change."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from config.celery import end_refused_start
from config.launcher.supervisor import ROOT
from config.refusals import database_refusals, is_public, refuse_start, settings_refusals
from config.wsgi import application
from players.models import Credential, Game
from players.operations import create_credential, query_credential, set_query_password
from players.query_passwords import is_used
from tests.support.callers import Caller, make_party, unique
from tests.support.own_database import use
from tests.support.web_server import served

Owner = psycopg.Connection[Any]
KEY = "k9Zr-3vXq7Lw_1sTb8Ny5Hc2Jd6Fg4Pa0M"
WORDS = {"DEMO": False, "DEBUG": False, "PUBLIC_URL": "", "CSRF_TRUSTED_ORIGINS": []}


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that nothing is to be said against."""
    for name, value in WORDS.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.delenv("HOST", raising=False)
    assert list(settings_refusals()) == []


HOOK = {
    "ALERT_WEBHOOK_URL": "https://example.com/alerts",
    "ALERT_WEBHOOK_SECRET": "whsec_" + base64.b64encode(KEY.encode()).decode(),
}
MAIL = {
    "ALERT_EMAILS": ["a@example.com"],
    "DEFAULT_FROM_EMAIL": "wallet@example.com",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
}
TRACES = {"TELEMETRY": True, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"DEMO": True, "ALLOWED_HOSTS": ["localhost", "wallet.example.com"]},
        "DEMO is for one machine .*ALLOWED_HOSTS",
    ),
    ({"DEBUG": True, "ALLOWED_HOSTS": [".example.com"]}, "DEBUG is for one machine"),
    ({"DEMO": True, "PUBLIC_URL": "https://pay.example.com"}, r"pay\.example\.com \(PUBLIC_URL\) is public"),
    ({"DEMO": True, "CSRF_TRUSTED_ORIGINS": ["https://a.example.com"]}, "CSRF_TRUSTED_ORIGINS"),
    ({"DEMO": True, "ALLOWED_HOSTS": ["[2606:4700::1]"]}, "is public"),
    ({"DEMO": True, "ALLOWED_HOSTS": ["8.8.8.8"]}, "is public"),
    ({"TRUSTED_PROXIES": ["0.0.0.0/0"]}, "TRUSTED_PROXIES covers 0.0.0.0/0"),
    ({"TRUSTED_PROXIES": ["127.0.0.1", "::/0"]}, "TRUSTED_PROXIES covers ::/0"),
    ({"TRUSTED_PROXIES": ["0.0.0.0/1", "128.0.0.0/1"]}, "TRUSTED_PROXIES covers 0.0.0.0/0"),
    ({"TRUSTED_PROXIES": ["2000::/3"]}, "TRUSTED_PROXIES covers 2000::/3"),
    ({"OUTGOING_ALLOWED_NETWORKS": ["0.0.0.0/0"]}, "OUTGOING_ALLOWED_NETWORKS covers"),
    (
        {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        "BEHIND_TLS_PROXY .*set TRUSTED_PROXIES",
    ),
    ({"SECRET_KEY": KEY, "CREDENTIAL_KEY": KEY}, "SECRET_KEY and CREDENTIAL_KEY have the same value"),
    ({"SECRET_KEY_FALLBACKS": [KEY], "ENCRYPTION_KEYS": [KEY]}, "SECRET_KEY and ENCRYPTION_KEYS"),
    ({"METRICS_TOKEN": KEY, "CHECKPOINT_KEY": f"other,{KEY}"}, "CHECKPOINT_KEY and METRICS_TOKEN"),
    (
        {"REDIS_URL": f"redis://:{KEY}@cache/0", "METRICS_TOKEN": KEY},
        "METRICS_TOKEN and the password in REDIS_URL",
    ),
    ({"SECRET_KEY": "x" * 50}, "SECRET_KEY is too simple"),
    ({"CREDENTIAL_KEY": "abcdefghij" * 4}, "CREDENTIAL_KEY is too simple"),
    ({"ENCRYPTION_KEYS": [KEY, "0101" * 10]}, "ENCRYPTION_KEYS is too simple"),
    ({"CHECKPOINT_KEY": base64.b64encode(bytes(32)).decode()}, "CHECKPOINT_KEY is too simple"),
    (HOOK | {"ALERT_WEBHOOK_URL": "ftp://example.com"}, "ALERT_WEBHOOK_URL cannot be called"),
    (HOOK | {"ALERT_WEBHOOK_URL": "http://example.com/a"}, "ALERT_WEBHOOK_URL must begin with https://"),
    (HOOK | {"ALERT_WEBHOOK_SECRET": ""}, "ALERT_WEBHOOK_SECRET .*begins with whsec_"),
    (HOOK | {"METRICS_TOKEN": HOOK["ALERT_WEBHOOK_SECRET"]}, "METRICS_TOKEN and ALERT_WEBHOOK_SECRET"),
    ({"ALERT_WEBHOOK_SEVERITY": "loud"}, "ALERT_WEBHOOK_SEVERITY must be notice, warning or critical"),
    (MAIL | {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}, "ALERT_EMAILS .*EMAIL_URL"),
    (MAIL | {"DEFAULT_FROM_EMAIL": ""}, "EMAIL_FROM must name"),
    (MAIL | {"ALERT_EMAILS": ["a@example.com", "b"]}, "ALERT_EMAILS must name .*'b' is none"),
    (
        TRACES | {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
        "OTEL_EXPORTER_OTLP_ENDPOINT cannot be called",
    ),
    (
        TRACES | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://example.com"},
        "must begin with https://: others could",
    ),
]


@pytest.mark.parametrize("changes", [HOOK, HOOK | {"ALERT_WEBHOOK_URL": "http://10.0.0.7/a"}, MAIL, TRACES])
def test_settings__that_reach_people_are_not_refused(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changes.items():
        monkeypatch.setattr(settings, name, value)
    assert list(settings_refusals()) == []


def test_traces__without_opentelemetry_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TRACES.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.setitem(sys.modules, "lib.telemetry.recorder", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    installed, spoken = settings_refusals()
    assert "OpenTelemetry is not installed: install what requirements-telemetry.lock names" in installed
    assert spoken.startswith("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf")


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, []),
        ({"QUEUE_SIZE": "512"}, []),
        ({"EXPORT_BATCH_SIZE": ""}, []),
        (
            {"QUEUE_SIZE": "511"},
            ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE (512) must not be above OTEL_BSP_MAX_QUEUE_SIZE (511): so many"],
        ),
        (
            {"QUEUE_SIZE": "many", "EXPORT_BATCH_SIZE": "0"},
            [
                "OTEL_BSP_MAX_QUEUE_SIZE must be a whole number above 0: 'many' is none.",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be a whole number above 0: '0' is none.",
            ],
        ),
    ],
)
def test_traces__bounds_that_opentelemetry_would_not_take_are_refused(
    given: dict[str, str], sentences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TRACES.items():
        monkeypatch.setattr(settings, name, value)
    for name, value in given.items():
        monkeypatch.setenv(f"OTEL_BSP_MAX_{name}", value)
    told = list(settings_refusals())
    assert len(told) == len(sentences)
    for sentence, beginning in zip(told, sentences, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_settings__are_refused_with_a_sentence(
    changes: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changes.items():
        monkeypatch.setattr(settings, name, value)
    said = list(settings_refusals())
    assert any(re.search(sentence, each) for each in said), said
    assert KEY not in " ".join(said)


@pytest.mark.parametrize(
    "changes",
    [
        {"ALLOWED_HOSTS": ["wallet.example.com"], "PUBLIC_URL": "https://pay.example.com"},
        {"DEMO": True, "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]", "192.168.7.9", "web", "a.local"]},
        {"DEMO": True, "PUBLIC_URL": "http://10.1.2.3:8000"},
        {"TRUSTED_PROXIES": ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]},
        {"TRUSTED_PROXIES": ["::1"], "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        {"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": [KEY]},
    ],
)
def test_settings__that_are_sound_are_taken(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in changes.items():
        monkeypatch.setattr(settings, name, value)
    assert list(settings_refusals()) == []


def test_host__that_the_server_binds_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEMO", True)
    monkeypatch.setenv("HOST", "[2606:4700::1]")
    assert [is_public(host) for host in ("", "0.0.0.0", "[::]", "127.0.0.1")] == [False] * 4
    assert len(list(settings_refusals())) == 1


def test_owner__is_refused_as_the_applications_role() -> None:
    assert list(database_refusals()) == []
    before = dict(connection.settings_dict)
    owner = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_OWNER_URL"])
    use(USER=str(owner["user"]), PASSWORD=str(owner["password"]))
    try:
        (sentence,) = database_refusals()
        # Also of one that was away when the web server started.
        ready = Caller(None).send("GET", "/readyz")
    finally:
        use(USER=before["USER"], PASSWORD=before["PASSWORD"])
    assert (ready.status, ready.body) == (503, {"status": "connected as the owner"})
    assert f"DATABASE_URL connects as {owner['user']}, who owns the tables of money" in sentence


@pytest.mark.parametrize("problem", [ImproperlyConfigured("the sentence"), ValueError("the sentence")])
def test_worker__ends_whatever_the_problem(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def refuse() -> None:
        raise problem

    monkeypatch.setattr("config.refusals.refuse_start", refuse)
    with pytest.raises(SystemExit, match="the sentence"):
        end_refused_start()


def test_check_deploy__says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ["0.0.0.0/0"])
    with pytest.raises(SystemCheckError, match="TRUSTED_PROXIES covers"):
        call_command("check", deploy=True, stdout=StringIO(), stderr=StringIO())


# As the .env.example has them for real money.
PRODUCTION = {
    "DEBUG": "0",
    "DEMO": "0",
    "HTTPS_ONLY": "1",
    "BEHIND_TLS_PROXY": "1",
    "TRUSTED_PROXIES": "127.0.0.1",
    "ALLOWED_HOSTS": "wallet.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://wallet.example.com",
    "PUBLIC_URL": "https://pay.example.com",
    "ADMIN_ALLOWED_NETWORKS": "10.0.0.0/8",
    "SECOND_FACTOR_REQUIRED": "1",
    "ALERT_WEBHOOK_URL": "https://alerts.example.com/wallet",
    "ALERT_EMAILS": "alerts@example.com",
    "EMAIL_URL": "smtp+tls://wallet:k9Zr3vXq7Lw@mail.example.com:587",
    "EMAIL_FROM": "wallet@example.com",
}
SECRET_NAMES = ("SECRET_KEY", "CREDENTIAL_KEY", "ENCRYPTION_KEYS", "METRICS_TOKEN")


def test_check_deploy__has_nothing_to_say_of_production(database_url: str) -> None:
    secrets = {name: token_urlsafe(48) for name in SECRET_NAMES}
    secrets["CHECKPOINT_KEY"] = base64.b64encode(token_bytes(32)).decode()
    secrets["ALERT_WEBHOOK_SECRET"] = "whsec_" + base64.b64encode(token_bytes(32)).decode()
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=os.environ | PRODUCTION | secrets | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "System check identified no issues (3 silenced).\n")


def test_web_server__ends_with_the_sentence(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    wrong = {"TRUSTED_PROXIES": "0.0.0.0/0", "GUNICORN_CMD_ARGS": ""}
    with pytest.raises(AssertionError), served(log, DATABASE_URL=database_url, **wrong):
        pass
    assert "TRUSTED_PROXIES covers 0.0.0.0/0" in log.read_text()


def test_web_server__is_not_told_to_believe_headers(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with (
        pytest.raises(AssertionError),
        served(log, DATABASE_URL=database_url, GUNICORN_CMD_ARGS="--forwarded-allow-ips=*"),
    ):
        pass
    assert "gunicorn is told to believe forwarded headers" in log.read_text()


# --- Query passwords ----------------------------------------------------------------------------------


@pytest.fixture
def asked() -> Iterator[Game]:
    """A game that is asked with a password of its own."""
    game = make_party(query_url="https://game.example/", query_username="us").game
    set_query_password(game, unique("query-password"))
    yield game
    set_query_password(game, "")


def password_of(game: Game) -> str:
    credential = query_credential(game)
    assert credential is not None
    return credential.password


def test_query_password__of_another_game_is_refused(asked: Game) -> None:
    other = make_party(query_url="https://other.example/", query_username="us").game
    assert not is_used(password_of(asked), besides=asked)
    assert is_used(password_of(asked), besides=other)
    set_query_password(other, password_of(asked))
    with pytest.raises(ImproperlyConfigured, match=f"manage.py query_password ({asked.slug}|{other.slug})"):
        refuse_start()
    set_query_password(other, "")
    refuse_start()


def test_query_password__that_a_game_calls_with_is_refused(asked: Game) -> None:
    credential, password = create_credential(
        kind="game", game=asked, username=unique("caller"), allowed_networks=[], note=""
    )
    set_query_password(asked, password)
    assert is_used(password, besides=asked)
    (sentence,) = database_refusals()
    assert f"is also the API password of the credential {credential.username}" in sentence
    assert password not in sentence
    Credential.objects.filter(pk=credential.pk).update(revoked_at="2026-01-01T00:00Z")
    assert list(database_refusals()) == []
    # It was one: to be entered it would have to be new.
    assert is_used(password, besides=asked)


def test_query_password_command__enters_one(asked: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_party(query_url="https://other.example/", query_username="us").game
    given = unique("new-password")
    monkeypatch.setattr("players.management.commands.query_password.getpass", lambda prompt: given)
    call_command("query_password", asked.slug, stdout=StringIO())
    assert password_of(Game.objects.get(pk=asked.pk)) == given
    with pytest.raises(CommandError, match="used for something else"):
        call_command("query_password", other.slug, stdout=StringIO())
    with pytest.raises(CommandError, match="no such game"):
        call_command("query_password", "nobody", stdout=StringIO())


# --- Forwarded headers --------------------------------------------------------------------------------

FORWARDED = {
    "SCRIPT_NAME": "/healthz",
    "PATH_INFO": "/nowhere",
    "X-Script-Name": "/healthz",
    "X-Forwarded-Prefix": "/healthz",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "Forwarded": "for=10.0.0.1;proto=https;host=elsewhere.example",
    "X-Original-URL": "/nowhere",
    "X-Rewrite-URL": "/nowhere",
}


@pytest.mark.parametrize("name", FORWARDED)
def test_forwarded_header__changes_no_answer(server: str, name: str) -> None:
    answer = Caller(None, url=server).send(
        "GET", "/healthz", headers={name: FORWARDED[name], "X-Forwarded-Proto": "http"}
    )
    assert (answer.status, answer.body) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("peer", "is_believed"), [("203.0.113.9", False), ("127.0.0.1", False), ("10.0.0.1", True)]
)
def test_forwarded_proto__is_believed_of_proxies_alone(
    peer: str, is_believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ["10.0.0.1"])
    monkeypatch.setattr(settings, "SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"))
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["localhost"])
    seen: list[bool] = []

    def django(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(environ.get("HTTP_X_FORWARDED_PROTO") == "https")
        return []

    monkeypatch.setattr("config.wsgi.django_application", django)
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https", "CONTENT_LENGTH": "0"}
    application(environ, lambda *ignored: None)
    assert seen == [is_believed]
