"""Each block in the documents that is no shell is read by a test, and says what is so."""

import json
import re
from pathlib import Path
from typing import Any

import environ
import yaml

from config.environment import SECRETS
from config.logs import SHOWN as TOLD_BY_LOGS
from config.standby_check import LEAST_DELAY, SETTINGS
from lib.clock import now
from simulation.parties import read_parties
from tests.documents.commands import DOCS, ROOT, WHOLE
from tests.documents.examples import blocks
from wallet.alert_messages.contents import Told, webhook_body
from wallet.models import Alert

HERE = "tests/documents/test_blocks.py"
WALK = "tests/documents/test_commands.py"
# Of each page the blocks that have a language, in order, and where they are read.
READ: dict[str, list[tuple[str, str]]] = {
    "adding-a-provider": [
        ("http", "tests/documents/test_provider.py"),
        *5 * [("python", "tests/documents/test_provider.py")],
    ],
    "events": [("python", "tests/clients/python/test_platform.py")],
    "operations": [("yaml", HERE), ("json", HERE), ("json", HERE), ("json", HERE)],
    "payments": [("http", "tests/documents/test_payments.py"), ("json", "tests/documents/test_payments.py")],
    "production": [
        ("ini", WALK),
        ("sql", WALK),
        ("ini", HERE),
        ("ini", HERE),
        ("ini", HERE),
        ("nginx", WALK),
        ("sql", WALK),
        ("sql", WALK),
    ],
    "sweeps": [("http", HERE)],
    "testing-your-game": [("python", HERE)],
}


def shown(page: str, language: str) -> list[str]:
    return [text for told, text in blocks(DOCS / f"{page}.md") if told == language]


def test_blocks__are_those_that_are_read() -> None:
    found = {
        path.stem: [language for language, _ in blocks(path) if language not in ("", "sh")]
        for path in DOCS.glob("**/*.md")
        if path.stem not in WHOLE
    }
    expected = {page: [language for language, _ in read] for page, read in READ.items()}
    assert {page: languages for page, languages in found.items() if languages} == expected
    for page, read in READ.items():
        assert all(page in (ROOT / file).read_text() for _, file in read), page


def test_scrape__has_the_token_of_metrics() -> None:
    (config,) = yaml.safe_load(shown("operations", "yaml")[0])["scrape_configs"]
    assert (config["scheme"], list(config["authorization"])) == ("https", ["credentials_file"])
    assert config["static_configs"] == [{"targets": ["wallet.example.com"]}]


def test_alert__has_the_form_that_is_shown() -> None:
    alert = Alert(kind=Alert.Kind.WALLET_DIFFERENCE, subject="s", text="t", raised_at=now())
    told = json.loads(webhook_body(Told("1-raised", alert, is_over=False)))
    assert form(told) == form(json.loads(shown("operations", "json")[0]))


def form(value: Any) -> Any:
    """The names in an object, all the way down, and what is fixed."""
    if isinstance(value, dict):
        return {
            name: of if name in ("kind", "severity") or "." in name else form(of)
            for name, of in value.items()
        }
    return type(value).__name__


def test_log_line__has_the_names_that_are_shown() -> None:
    told = json.loads(shown("operations", "json")[1])
    always = {"event", "level", "logger", "timestamp", "request_id", "exception"}
    assert set(told) == always | TOLD_BY_LOGS


def test_trial__is_read_as_shown(tmp_path: Path) -> None:
    file = tmp_path / "trial.json"
    file.write_text(shown("operations", "json")[2])
    parties = read_parties(file, None)
    assert (parties.url, len(parties.games)) == ("https://wallet-trial.example.com", 2)


def test_credential__is_a_secret_that_can_be_a_file() -> None:
    *_, unit = shown("production", "ini")
    loaded, named = unit.splitlines()[1:]
    credential = re.fullmatch(r"LoadCredential=(\w+):/etc/quantum-wallet/secrets/(\w+)", loaded)
    variable = re.fullmatch(r"Environment=(\w+)_FILE=%d/(\w+)", named)
    assert credential
    assert variable
    assert {credential[1], credential[2], variable[2]} == {credential[1]}
    assert variable[1] in SECRETS


def test_pooler__is_told_of_as_the_settings_read_it() -> None:
    pooler = shown("production", "ini")[1]
    url, kind = (line.partition("=") for line in pooler.splitlines())
    parts = environ.Env.db_url_config(url[2].replace("<password>", "secret"))
    assert (url[0], parts["USER"], parts["NAME"]) == ("DATABASE_URL", "wallet_app", "wallet")
    port = re.search(r"^listen_port = (\d+)$", (ROOT / "deploy" / "pgbouncer.ini").read_text(), re.MULTILINE)
    assert port
    assert str(parts["PORT"]) == port[1]
    assert kind[0] == "DATABASE_POOLER"
    assert f'"{kind[2]}"' in (ROOT / "config" / "databases.py").read_text()


def test_standby__has_the_settings_that_the_check_wants() -> None:
    given = dict(line.split(" = ") for line in shown("production", "ini")[2].splitlines())
    assert {f"'{name}'" for name in given} <= set(re.findall(r"'\w+'", SETTINGS))
    assert given["hot_standby_feedback"] == "on"
    assert int(given["max_standby_streaming_delay"].removesuffix("s")) * 1000 >= LEAST_DELAY


def test_question__has_the_fields_that_are_shown() -> None:
    head, _, body = shown("sweeps", "http")[0].partition("\n\n")
    assert head.splitlines() == ["POST /your/path HTTP/1.1", "Content-Type: application/json"]
    asked = (ROOT / "wallet" / "settlement" / "status_query.py").read_text().partition("asked = {")[2]
    assert list(json.loads(body)) == re.findall(r'"(\w+)":', asked.partition("}")[0])


def test_game_test__asks_for_what_the_kit_has() -> None:
    text = shown("testing-your-game", "python")[0]
    compile(text, "testing-your-game.md", "exec")
    kit = ROOT / "clients" / "kit" / "wallet"
    asked, names = re.findall(r'kit\.(\w+)\("/kit/(\w+)"', text), re.findall(r'"name": "([\w-]+)"', text)
    assert (len(asked), len(names)) == (2, 1)
    known = (kit / "control.py").read_text()
    assert all(f'("{method.upper()}", "{name}")' in known for method, name in asked)
    assert f'"{names[0]}"' in (kit / "scenarios.py").read_text()
