"""Verdicts for people and machines: lines as they come, JSON, JUnit."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TextIO

from clients.kit import VERSION
from clients.kit.reports.junit_report import writable
from clients.kit.wallet.record import Seen
from clients.kit.wallet.verdict import FAILED, PASSED, UNFINISHED, Verdict

SIGNS = {PASSED: "✓", FAILED: "✗", UNFINISHED: "…"}


def tell_seen(stream: TextIO, one: Seen) -> None:
    """One line for a request."""
    code = f" errorCode {one.code}" if one.code else ""
    read = "" if one.is_whole else " (not read by the game)"
    stream.write(f"    {one.call} {one.id} → {one.status or 'no answer'}{code}{read}\n")
    stream.flush()


def tell_verdict(stream: TextIO, verdict: Verdict) -> None:
    """A scenario's verdict, and what speaks against the game."""
    stream.write(f"{SIGNS[verdict.status]} {verdict.name} (contract {verdict.paragraph}): {verdict.status}\n")
    for problem in verdict.problems:
        stream.write(f"    {problem}\n")
    stream.flush()


def summary(verdicts: list[Verdict]) -> str:
    """How many passed."""
    passed = sum(1 for one in verdicts if one.status == PASSED)
    return f"{passed} of {len(verdicts)} scenarios passed."


def write_json(path: Path, verdicts: list[Verdict]) -> None:
    report = {"kit": VERSION, "direction": "wallet", "verdicts": [one.as_data() for one in verdicts]}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def write_junit(path: Path, verdicts: list[Verdict]) -> None:
    """A suite with a case for each scenario; what was not finished has failed."""
    failed = sum(1 for one in verdicts if one.status != PASSED)
    about = {"name": "wallet-kit wallet", "tests": str(len(verdicts)), "failures": str(failed)}
    suite = ET.Element("testsuite", about)
    for one in verdicts:
        case = ET.SubElement(suite, "testcase", {"classname": "wallet", "name": one.name})
        if one.status != PASSED:
            message = writable(one.problems[0] if one.problems else one.status)
            ET.SubElement(case, "failure", {"message": message}).text = writable("\n".join(one.problems))
        ET.SubElement(case, "system-out").text = writable("\n".join(one.wire))
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
