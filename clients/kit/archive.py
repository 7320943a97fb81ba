"""`make kit`: packs the kit into one file, which any Python from 3.11 on runs.

The same code makes the same bytes.
"""

import sys
import zipfile
from pathlib import Path

KIT = Path(__file__).resolve().parent
SHEBANG = b"#!/usr/bin/env python3\n"
MAIN = "import sys\n\nfrom clients.kit.command import main\n\nsys.exit(main(sys.argv[1:]))\n"
# The earliest that a ZIP file can say: the archive tells nothing of when it was made.
MADE_AT = (1980, 1, 1, 0, 0, 0)
LEFT_OUT = ("__pycache__", "archive.py")


def members() -> dict[str, bytes]:
    """What is packed, by its path in the archive."""
    root = KIT.parent
    files = [root / "__init__.py", *(path for path in KIT.rglob("*") if path.is_file())]
    wanted = [path for path in files if not any(part in LEFT_OUT for part in path.parts)]
    found = {str(Path("clients") / path.relative_to(root)): path.read_bytes() for path in wanted}
    return dict(sorted({"__main__.py": MAIN.encode(), **found}.items()))


def pack(target: Path) -> None:
    """Writes the archive, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members().items():
                archive.writestr(described(name), content)
    draft.chmod(0o755)
    draft.replace(target)


def described(name: str) -> zipfile.ZipInfo:
    """The entry of a file, without a trace of this machine."""
    entry = zipfile.ZipInfo(name, MADE_AT)
    entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
    return entry


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
