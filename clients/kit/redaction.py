"""Takes secrets out of what reports show."""

import re
import threading
from base64 import b64encode
from urllib.parse import quote

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Where tokens come from: the answer to a launch, and whatever names one.
TOKENS = re.compile(rf'"token"\s*:\s*"({UUID})"|[?&]token=({UUID})')
FIELDS = re.compile(r'("(?:token|password)"\s*:\s*")(?!\[token )[^"]+(")', re.IGNORECASE)
HEADERS = re.compile(r"^((?:proxy-)?authorization|cookie|set-cookie):.*$", re.IGNORECASE | re.MULTILINE)
HIDDEN = "[hidden]"


class Redactor:
    """Knows the secrets of a run, and blacks them out in any text; used by several threads."""

    def __init__(self) -> None:
        self.passwords: set[str] = set()
        # Tokens are shown by a number, so that a reader can follow them.
        self.tokens: dict[str, str] = {}
        self.lock = threading.Lock()

    def hide_login(self, username: str, password: str) -> None:
        """A caller's password, as it is and as HTTP Basic writes it."""
        encoded = b64encode(f"{username}:{password}".encode()).decode()
        self.passwords |= {password, quote(password), encoded}

    def learn_tokens(self, text: str) -> None:
        """Gives each new token in a text its number."""
        for pair in TOKENS.findall(text):
            with self.lock:
                self.tokens.setdefault("".join(pair), f"[token {len(self.tokens) + 1}]")

    def clean(self, text: str) -> str:
        """The text without secrets, and without half characters, which no file can hold."""
        text = text.encode(errors="backslashreplace").decode()
        self.learn_tokens(text)
        for password in self.passwords:
            text = text.replace(password, HIDDEN)
        text = re.sub(UUID, lambda found: self.tokens.get(found[0], found[0]), text)
        return HEADERS.sub(rf"\1: {HIDDEN}", FIELDS.sub(rf"\1{HIDDEN}\2", text))
