"""pgledger is measured only if its files are there, and only the version that is named."""

from pathlib import Path

from benchmarks.pgledger import FILES, why_not


def test_pgledger__says_what_is_missing(tmp_path: Path) -> None:
    assert why_not(tmp_path) == f"there is no {tmp_path / 'pgledger.sql'}"


def test_pgledger__another_version_is_not_measured(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("-- nothing")
    assert why_not(tmp_path) == f"{tmp_path / 'pgledger.sql'} is not that of the tag v0.7.0"
