"""The report for programs: everything, with the raw wire."""

import json
from dataclasses import asdict
from typing import Any

from clients.kit import VERSION
from clients.kit.runner import Result, Run


def write_json(run: Run) -> str:
    """The run as JSON."""
    report = {
        "kit": VERSION,
        "url": run.target.url,
        "schemaSha256": run.schema_hash,
        "beganAt": run.began_at.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "verdict": run.verdict,
        "passed": run.is_passed,
        "checks": [check_of(result) for result in run.results],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def check_of(result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "category": check.category,
        "title": check.title,
        "paragraph": check.paragraph,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 3),
        "calls": result.calls,
        "reason": result.reason,
        "failure": asdict(result.failure) if result.failure else None,
        "wire": [asdict(exchange) for exchange in result.exchanges],
    }
