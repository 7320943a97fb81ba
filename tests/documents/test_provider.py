"""docs/adding-a-provider.md: Acme Pay is added as the page says, by its own blocks, and passes its tests."""

import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

import payments.providers
from payments.callbacks import intake
from payments.providers import signatures
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import EventType, ProviderConfig, RefundRequest, RefundStatus
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import replace_api_secret
from tests.documents.examples import blocks
from tests.documents.test_payments import read_request
from tests.payments.fuzz import calls, mutations
from tests.payments.fuzz.subjects import subject
from tests.payments.fuzz.trials import Tally, fuzz_signatures
from tests.support.callers import unique
from tests.support.http_peer import peer
from tests.support.shop import FakeProvider, ShopSetup, make_provider

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "adding-a-provider.md"
API = "https://api.acme.example"
ROW = re.compile(r"^\| (.+?) \| (.+) \|$", re.MULTILINE)


class Page(NamedTuple):
    """All blocks of the document, in order."""

    callback: str
    signature: str
    adapter: str
    refunds: str
    tests: str
    fuzz: str


def page() -> Page:
    found = blocks(DOCUMENT)
    assert [language for language, _ in found] == ["http", *5 * ["python"]]
    return Page(*(text for _, text in found))


@pytest.fixture(autouse=True)
def leave_no_acme(owner: "psycopg.Connection[Any]", database: None) -> Iterator[None]:
    """Afterwards no other test meets a provider whose scheme nobody knows."""
    yield
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(
            "UPDATE payments_provider SET scheme = 'standard-webhooks', is_active = false"
            " WHERE scheme = 'acme'"
        )
    PROVIDERS.forget()


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The adapter, where the page puts it, and known as the page says."""
    yield from installed(page().adapter, tmp_path, monkeypatch)


def installed(adapter: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The two modules in packages that reach here."""
    (home / "signatures").mkdir()
    (home / "acme.py").write_text(adapter)
    (home / "signatures" / "acme.py").write_text(page().signature)
    monkeypatch.setattr(payments.providers, "__path__", [str(home), *payments.providers.__path__])
    reach = [str(home / "signatures"), *signatures.__path__]
    monkeypatch.setattr(signatures, "__path__", reach)
    forget_acme()
    made = importlib.import_module("payments.providers.acme")
    monkeypatch.setitem(ADAPTERS, "acme", made.ADAPTER)
    monkeypatch.setattr(intake, "KEPT_HEADERS", (*intake.KEPT_HEADERS, "acme-signature"))
    yield made
    forget_acme()


def forget_acme() -> None:
    for package in (payments.providers, signatures):
        sys.modules.pop(f"{package.__name__}.acme", None)
        vars(package).pop("acme", None)
    importlib.invalidate_caches()


# --- The example ---------------------------------------------------------------------------------------


def test_callback__that_is_shown_is_read(acme: ModuleType) -> None:
    request = read_request(page().callback)
    assert request.line == "POST /pay/acme HTTP/1.1"
    told = json.loads(request.body)
    event = acme.read_event(request.body.encode())
    assert (event.message_id, event.type, event.problem) == ("evt-81", EventType.SUCCEEDED, "")
    assert (str(event.order_id), event.reference) == (told["order"], "pay-17")
    assert (event.start_reference, event.amount, event.currency) == (told["reference"], 499, "EUR")


def test_tests__that_are_shown_pass(acme: ModuleType, shop_setup: ShopSetup, tmp_path: Path) -> None:
    class Given:
        """What the tests of payments give besides, and how their tests ended."""

        ended: list[str] = []

        @pytest.fixture(name="shop_setup")
        def lend(self) -> ShopSetup:
            return shop_setup

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.when == "call" or not report.passed:
                self.ended.append(f"{report.outcome} {report.longreprtext}".strip())

    file = tmp_path / "test_acme.py"
    file.write_text(page().tests)
    without = [word for name in ("django", "xdist", "cacheprovider") for word in ("-p", f"no:{name}")]
    words = [str(file), "-q", "--noconftest", f"--rootdir={tmp_path}", "-c", "/dev/null", *without]
    pytest.main(words, plugins=[Given()])
    assert Given.ended == ["passed"] * 5


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'200 OK|{"state": "done", "object": "re-1"}', (RefundStatus.DONE, "re-1")),
        (b'200 OK|{"state": "refused", "object": "re-1"}', (RefundStatus.REFUSED, "re-1")),
        (b'200 OK|{"state": "working", "object": "re-1"}', (RefundStatus.UNKNOWN, "re-1")),
        (b'200 OK|{"state": "odd", "object": "re-1"}', (RefundStatus.UNKNOWN, "")),
        (b"404 Not Found|{}", (RefundStatus.NOT_FOUND, "")),
        (b"500 Failed|nonsense", (RefundStatus.UNKNOWN, "")),
        (b"", (RefundStatus.UNKNOWN, "")),
    ],
)
def test_refunds__as_shown_are_never_guessed(
    answer: bytes,
    expected: tuple[RefundStatus, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shop_setup: ShopSetup,
) -> None:
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    status, _, body = answer.partition(b"|")
    lines = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body) if answer else b""
    request = RefundRequest(uuid4(), uuid4(), "", "pay-17", 499, "EUR")
    with peer(lines) as acme_api:
        text = with_refunds(page()).replace(API, f"http://127.0.0.1:{acme_api.port}")
        for made in installed(text, tmp_path, monkeypatch):
            given = make_provider("acme", unique("a-secret-of-acme-with-32-characters"))
            assert made.ADAPTER.status(config_of(given), request).status == RefundStatus.UNKNOWN
            replace_api_secret(given.provider, unique("a-key-of-acme-with-32-characters"), actor="test")
            for call in (made.ADAPTER.refund, made.ADAPTER.status):
                result = call(config_of(given), request)
                assert (result.status, result.reference) == expected
        assert [sent.split()[1] for sent in acme_api.requests] == [b"/refunds", b"/refunds/status"]


def config_of(given: FakeProvider) -> ProviderConfig:
    PROVIDERS.forget()
    config = PROVIDERS.find(given.provider.slug)
    assert config is not None
    return config


def with_refunds(page: Page) -> str:
    """The adapter with its last two methods replaced."""
    head, _, rest = page.refunds.partition("\n\n\n    def ")
    methods, _, tail = rest.partition("\n\n\ndef ")
    before, _, old = page.adapter.partition("    def refund(")
    _, _, after = old.partition("\n\n\ndef ")
    before = before.replace("    RefundResult,\n", "    RefundResult,\n    RefundStatus,\n")
    before = before.replace("\nTYPES = {", f"\n{head}\n\nTYPES = {{")
    for old_line in ("can_refund = False", "has_api_secret = False"):
        assert old_line in before
        before = before.replace(old_line, old_line.replace("False", "True"))
    return f"{before}    def {methods}\n\n\ndef {tail}\n\ndef {after}"


def test_fuzz_subject__as_shown_lets_no_changed_callback_count(
    acme: ModuleType, shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutations, "SIGNATURES", (*mutations.SIGNATURES, "acme-signature"))
    names: dict[str, Any] = dict(vars(calls))
    exec(compile(page().fuzz, str(DOCUMENT), "exec"), names)
    provider = make_provider("acme", unique("a-secret-of-acme-with-32-characters"))
    orders = [shop_setup.order(fake_provider=provider) for _ in range(2)]
    made, tally, seed = subject("acme", provider, orders[0], names["ACME"]), Tally(), random.randrange(10**6)
    for order in orders:
        told = {"event": unique("evt"), "type": "paid", "order": str(order.pk), "payment": unique("pay")}
        told |= {"reference": order.payments.get().start_reference, "amount": 499, "currency": "EUR"}  # type: ignore[dict-item]
        made.add(calls.Call({"content-type": calls.JSON}, json.dumps(told).encode()), int(time.time()))
    fuzz_signatures([made], 1000, random.Random(seed), tally)
    assert tally.wrong == [], f"seed {seed}"
    assert tally.still_genuine > 10
    assert tally.outcomes["refused"] > 500


# --- Making it known -----------------------------------------------------------------------------------

# What a reader does to each file that the table names: before what it is put, in it.
CHANGES = {
    "payments/models/providers.py": ('        STRIPE = "stripe"', '        ACME = "acme", "Acme Pay"\n'),
    "payments/providers/adapters.py": (
        "    Provider.Scheme.STRIPE:",
        "    Provider.Scheme.ACME: acme.ADAPTER,\n",
    ),
    "payments/callbacks/intake.py": ('    "user-agent",', '    "acme-signature",\n'),
    "payments/admin/providers.py": ("    Scheme.STRIPE:", '    Scheme.ACME: _("Acme-Signature"),\n'),
    "payments/providers/signing_secrets.py": ("", ""),
    "payments/api/openapi.py": (
        "    ]\n    bodies = {",
        '        header("acme-signature", "Acme Pay: the HMAC-SHA256 of the raw body."),\n',
    ),
    "docs/payments.md": ("", ""),
    "CHANGELOG.md": ("", ""),
}


def test_table__names_all_files_and_what_is_in_them() -> None:
    _, _, table = DOCUMENT.read_text().partition("## Making it known\n")
    table, _, _ = table.partition("\n## ")
    named = [name for row, _ in ROW.findall(table)[1:] for name in re.findall(r"`([\w/-]+\.\w+)`", row)]
    assert named == list(CHANGES)
    for name, (before, _) in CHANGES.items():
        assert before in (ROOT / name).read_text()
    for row, change in ROW.findall(table):
        file = re.search(r"`(payments/[\w/]+\.py)`", row)
        for symbol in re.findall(r"`([A-Z_]{4,})`", row + change) if file else []:
            if symbol != "PROVIDERS":
                assert re.search(rf"\b{symbol}\b", (ROOT / file[1]).read_text()), symbol  # type: ignore[index]


def test_scheme__migrates_as_the_table_says(tmp_path: Path, database_url: str) -> None:
    for name in ("lib", "players", "wallet", "config", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "payments", tmp_path / "payments", ignore=shutil.ignore_patterns("__pycache__"))
    # No link: Python would look for modules where it leads.
    shutil.copy(ROOT / "manage.py", tmp_path)
    made = page()
    (tmp_path / "payments" / "providers" / "acme.py").write_text(made.adapter)
    (tmp_path / "payments" / "providers" / "signatures" / "acme.py").write_text(made.signature)
    for name, (before, new) in CHANGES.items():
        if new:
            file = tmp_path / name
            file.write_text(file.read_text().replace(before, new + before, 1))
    registry = tmp_path / "payments" / "providers" / "adapters.py"
    registry.write_text(registry.read_text().replace("import order_notify", "import acme, order_notify"))
    (command,) = re.findall(r"`manage\.py (makemigrations [^`]+)`", DOCUMENT.read_text())
    done = subprocess.run(
        [sys.executable, tmp_path / "manage.py", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"payments/migrations/\d{4}_acme_scheme\.py\n +~ Alter field scheme", done.stdout)
