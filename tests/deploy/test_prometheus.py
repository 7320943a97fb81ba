"""Alerts and dashboards: each fires, and each number in them is one that a running platform has."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.launcher.supervisor import ROOT
from tests.support.callers import Caller
from tests.support.web_server import served

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
NAME = re.compile(r"\bwallet_\w+\b")
TOKEN = "a token that only Prometheus has, long enough"

# For each alert what has been read for two hours, every minute, when it fires, and when it is silent.
# `a+bx120` is a series that begins with a and grows by b each minute.
Series = dict[str, str]
ALL_WELL: Series = {
    "wallet_up{part='database'}": "1x120",
    "wallet_audit_ok": "1x120",
    "wallet_alerts_open{kind='wallet_difference'}": "0x120",
    "wallet_alerts_open{kind='lock_out'}": "0x120",
    "wallet_transactions_in_doubt{doubt='no_answer'}": "0x120",
    "wallet_checkpoint_age_seconds": "3600+60x120",
    "wallet_request_seconds_count{endpoint='withdraw',code='0'}": "0+6000x120",
    "wallet_request_seconds_count{endpoint='withdraw',code='500'}": "0+6x120",
    "wallet_request_seconds_bucket{endpoint='withdraw',code='0',le='0.1'}": "0+5999x120",
    "wallet_request_seconds_bucket{endpoint='withdraw',code='0',le='1.0'}": "0+6000x120",
    "wallet_request_seconds_bucket{endpoint='withdraw',code='0',le='+Inf'}": "0+6000x120",
    "wallet_shed_calls_total{urgency='opening'}": "0+5x120",
    "wallet_database_connections": "84x120",
    "wallet_database_connections_maximum": "100x120",
    "wallet_heartbeat_age_seconds{part='queue'}": "15x120",
    "wallet_heartbeat_age_seconds{part='web'}": "20x120",
    "wallet_settling_lag_seconds": "7200x120",
    "wallet_sweep_lateness_seconds{task='settle_due'}": "30x120",
    "wallet_sweep_lateness_seconds{task='audit_all'}": "72000+60x120",
    "wallet_queue_messages{queue='settle'}": "600x120",
    "wallet_queue_messages{queue='check'}": "400x120",
    "wallet_alert_message_lag_seconds": "10x120",
    "wallet_event_lag_seconds": "10x120",
    "wallet_delivery_lag_seconds": "5x120",
    "wallet_deliveries_undelivered{state='pending'}": "50x120",
    "wallet_deliveries_undelivered{state='exhausted'}": "0x120",
    "wallet_callbacks_to_look_at{outcome='contradicts'}": "0x120",
    "wallet_refund_lag_seconds": "60x120",
}
WRONG: list[tuple[str, Series]] = [
    ("WalletBooksDiffer", {"wallet_audit_ok": "0x120"}),
    ("WalletBooksDiffer", {"wallet_alerts_open{kind='wallet_difference'}": "1x120"}),
    ("WalletCheckpointOld", {"wallet_checkpoint_age_seconds": "93601x120"}),
    ("WalletNeedsDecision", {"wallet_alerts_open{kind='lock_out'}": "1x120"}),
    ("WalletNeedsDecision", {"wallet_transactions_in_doubt{doubt='no_answer'}": "1x120"}),
    ("WalletGone", {"wallet_up{part='database'}": "_x120"}),
    ("WalletFails", {"wallet_request_seconds_count{endpoint='withdraw',code='500'}": "0+80x120"}),
    ("WalletSlow", {"wallet_request_seconds_bucket{endpoint='withdraw',code='0',le='0.1'}": "0+5000x120"}),
    ("WalletOverloaded", {"wallet_shed_calls_total{urgency='opening'}": "0+7x120"}),
    ("WalletPartAway", {"wallet_up{part='database'}": "0x120"}),
    ("WalletConnectionsFew", {"wallet_database_connections": "86x120"}),
    ("WalletWorkersGone", {"wallet_heartbeat_age_seconds{part='queue'}": "15+60x120"}),
    ("WalletSettlingLate", {"wallet_settling_lag_seconds": "10801x120"}),
    ("WalletSweepLate", {"wallet_sweep_lateness_seconds{task='settle_due'}": "1801x120"}),
    ("WalletNightlyJobLate", {"wallet_sweep_lateness_seconds{task='audit_all'}": "93601x120"}),
    ("WalletQueueLong", {"wallet_queue_messages{queue='check'}": "401x120"}),
    ("WalletAlertsUntold", {"wallet_alert_message_lag_seconds": "301x120"}),
    ("WalletEventsLate", {"wallet_event_lag_seconds": "301x120"}),
    ("WalletDeliveriesLate", {"wallet_delivery_lag_seconds": "301x120"}),
    ("WalletDeliveriesLate", {"wallet_deliveries_undelivered{state='exhausted'}": "1x120"}),
    ("WalletPaymentsUnclear", {"wallet_callbacks_to_look_at{outcome='contradicts'}": "1x120"}),
    ("WalletPaymentsUnclear", {"wallet_refund_lag_seconds": "601x120"}),
]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and os.environ.get("CI") != "true",
    reason="promtool is not installed (.ci/prometheus)",
)


def case(series: Series, firing: set[str]) -> dict[str, Any]:
    """One of promtool's tests: which alerts fire after two hours."""
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "119m",
                "exp_samples": expected,
            }
        ],
    }


def promtool(home: Path, cases: list[dict[str, Any]]) -> str:
    """What promtool finds wrong."""
    file = home / "cases.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": cases}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@needs_promtool
def test_alerts__none_fires_while_all_is_well(tmp_path: Path) -> None:
    assert promtool(tmp_path, [case(ALL_WELL, set())]) == ""


@needs_promtool
def test_alerts__each_fires_alone_for_what_it_is_about(tmp_path: Path) -> None:
    # A difference, and a lock-out, is an alert of the platform that somebody has to decide, too.
    also = {"WalletBooksDiffer": {"WalletNeedsDecision"}}
    cases = []
    for name, series in WRONG:
        more = also.get(name, set()) if "alerts_open" in str(series) else set()
        cases.append(case(ALL_WELL | series, {name} | more))
    assert promtool(tmp_path, cases) == ""


def test_alerts__each_is_tried() -> None:
    assert {name for name, _ in WRONG} == set(ALERTS)


def test_alerts__documents_name_each_with_its_time() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    told = dict(re.findall(r"^\| `(Wallet\w+)` \| ([^|]+?) \|", text, re.MULTILINE))
    assert told == {name: rule.get("for", "at once") for name, rule in ALERTS.items()}


# --- The numbers ---


def expressions() -> Iterator[tuple[str, str]]:
    """Each expression after where it stands."""
    yield from ((name, rule["expr"]) for name, rule in ALERTS.items())
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield from ((f"{path.name}: {panel['title']}", target["expr"]) for target in panel["targets"])


@pytest.fixture(scope="module")
def numbers(database_url: str, callers: object, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all numbers that a running platform has."""
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, DATABASE_URL=database_url, METRICS_TOKEN=TOKEN) as url:
        text = Caller(f"Bearer {TOKEN}", url=url).send("GET", "/metrics").raw.decode()
    found = set()
    for name, type in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        found |= {f"{name}_{part}" for part in ("bucket", "count", "sum")} if type == "histogram" else {name}
    return found


def test_numbers__each_in_alerts_and_dashboards_is_there(numbers: set[str]) -> None:
    named = {where: set(NAME.findall(text)) for where, text in expressions()}
    missing = {where: names - numbers for where, names in named.items() if names - numbers}
    assert missing == {}


def test_numbers__each_that_is_there_is_seen_on_a_dashboard(numbers: set[str]) -> None:
    seen = {name for where, text in expressions() if ".json" in where for name in NAME.findall(text)}
    histograms = {name.rpartition("_")[0] for name in numbers if name.endswith("_bucket")}
    assert {name for name in numbers if name.rpartition("_")[0] not in histograms} <= seen


def test_dashboards__are_of_four_kinds_and_their_panels_do_not_overlap() -> None:
    assert [path.stem for path in DASHBOARDS] == ["api", "money", "payments", "sweeps"]
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len(places)
        assert len({panel["id"] for panel in board["panels"]}) == len(places)
        assert all(panel["datasource"]["uid"] == "${datasource}" for panel in board["panels"])
