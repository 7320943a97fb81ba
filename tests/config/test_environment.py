"""Secrets that are files' contents."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import BASE_DIR, SECRETS, secrets_in_files

# Names that sound so, and are not.
NO_SECRETS = {"PUBLIC_URL", "DEMO_GAME_URL", "CREDENTIAL_CACHE_SECONDS"}
TEXTS = {name: f"a {name} that is long enough for the settings" for name in SECRETS} | {
    "ALERT_WEBHOOK_URL": "https://alerts.example.com/token",
    "ALERT_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
    "DATABASE_URL": "postgres://wallet_app:from-a-file@db.internal/wallet",
    "DATABASE_REPORTS_URL": "postgres://wallet_app:from-a-file@standby.internal/wallet",
    "REDIS_URL": "redis://:from-a-file@redis.internal/0",
    "EMAIL_URL": "smtp+tls://user:from-a-file@mail.example.com:587",
    "CHECKPOINT_STORAGE_OPTIONS": '{"secret_key": "from-a-file"}',
}
SHOW = """
import json
from config import settings as s
print(json.dumps({
    **{name: getattr(s, name) for name in json.loads(input())},
    "DATABASE_URL": s.DATABASES["default"]["PASSWORD"], "EMAIL_URL": s.EMAIL_HOST_PASSWORD,
}))
"""


def named_files(home: Path, texts: dict[str, str]) -> dict[str, str]:
    """The settings that name a file for each text."""
    for name, text in texts.items():
        (home / name).write_text(f"{text}\n")
    return {f"{name}_FILE": str(home / name) for name in texts}


def test_secrets__each_setting_that_sounds_secret_can_be_a_file() -> None:
    text = (BASE_DIR / ".env.example").read_text()
    names = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) - NO_SECRETS
    sound = re.compile("KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|_URL|_OPTIONS|_HEADERS")
    assert set(filter(sound.search, names)) == set(SECRETS)


@pytest.mark.slow
def test_secrets__each_setting_has_the_text_of_its_file(tmp_path: Path) -> None:
    plain = [name for name in SECRETS if name not in ("DATABASE_URL", "EMAIL_URL")]
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        input=json.dumps(plain),
        env=environment | {"ALLOWED_HOSTS": "localhost"} | named_files(tmp_path, TEXTS),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = TEXTS | {
        "SECRET_KEY_FALLBACKS": [TEXTS["SECRET_KEY_FALLBACKS"]],
        "ENCRYPTION_KEYS": [TEXTS["ENCRYPTION_KEYS"]],
        "CHECKPOINT_STORAGE_OPTIONS": {"secret_key": "from-a-file"},
        "DATABASE_URL": "from-a-file",
        "EMAIL_URL": "from-a-file",
    }
    assert json.loads(shown.stdout) == expected


@pytest.mark.parametrize("name", SECRETS)
def test_secrets__the_newline_at_the_end_is_none_of_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b" in the middle \n and at the end \r\n\n")
    found = secrets_in_files({f"{name}_FILE": str(tmp_path / "file"), name: ""})
    assert found == {name: " in the middle \n and at the end "}


def test_secrets__a_file_that_is_not_named_counts_as_not_set() -> None:
    assert secrets_in_files({"SECRET_KEY": "a", "SECRET_KEY_FILE": ""}) == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "SECRET_KEY_FILE names {}, which cannot be read: No such file or directory."),
        (b"", "SECRET_KEY_FILE names {}, which is empty."),
        (b" \n", "SECRET_KEY_FILE names {}, which is empty."),
        (b"hidden\xff", "SECRET_KEY_FILE names {}, which is no text in UTF-8."),
        (b"$hidden", "SECRET_KEY_FILE names {}, whose text must not begin with a dollar sign."),
    ],
)
def test_secrets__what_is_no_secret_is_refused(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImproperlyConfigured) as refused:
        secrets_in_files({"SECRET_KEY_FILE": str(path)})
    assert str(refused.value) == sentence.format(path)


def test_secrets__both_ways_at_once_are_refused(tmp_path: Path) -> None:
    given = named_files(tmp_path, {"METRICS_TOKEN": "one"}) | {"METRICS_TOKEN": "two"}
    with pytest.raises(ImproperlyConfigured) as refused:
        secrets_in_files(given)
    assert str(refused.value) == "METRICS_TOKEN and METRICS_TOKEN_FILE are both set: set one of them."


def test_secrets__the_documents_name_each_that_can_be_a_file() -> None:
    text = (BASE_DIR / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`.*?) \|", text, re.MULTILINE)
    told = {name for row in rows if "(file)" in row for name in re.findall(r"`([A-Z_]+)`", row)}
    assert told == set(SECRETS)
