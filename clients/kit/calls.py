"""Calls of the server by its callers, and what each kind of answer must look like."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from clients.kit import exact_json
from clients.kit.contract import FIRST_WITH_BALANCE, code_text
from clients.kit.expectations import Unmet, expect_that
from clients.kit.parties import Login, Target
from clients.kit.wire import Answer, Record, Wire

JSON_TYPE = "application/json"
# A token that never was.
NOWHERE = "00000000-0000-4000-8000-000000000000"


def new_id(prefix: str = "mm") -> str:
    """A transaction id that nobody used before."""
    return f"{prefix}-{uuid.uuid4().hex[:24]}"


@dataclass
class Calls:
    """The callers of one check, and the record of what they sent and got."""

    target: Target
    wire: Wire
    record: Record

    def send(
        self,
        caller: Login | None,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, as any caller or none. `headers` replace those that a right call has."""
        about = {"Content-Type": JSON_TYPE}
        if caller is not None:
            about["Authorization"] = caller.authorization
        return self.wire.send(method, path, body, {**about, **(headers or {})}, self.record)

    def post(
        self,
        path: str,
        payload: object,
        *,
        caller: Login | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A call of the game, or of another caller. Bytes are sent as they are."""
        body = payload if isinstance(payload, bytes) else exact_json.write(payload).encode()
        return self.send(caller or self.target.game, "POST", path, body, headers)

    def front(self, path: str, payload: object, *, method: str = "POST") -> Answer:
        """A call of the platform's web front."""
        return self.send(self.target.platform, method, path, exact_json.write(payload).encode())

    def accepted(self, what: str, answer: Answer) -> Answer:
        """The answer, which must be a success (contract 1.5)."""
        expect_answered(what, answer)
        if answer.code is not None:
            raise Unmet(what, code_text(None), refusal_text(answer))
        return answer

    def refused(self, what: str, code: int, answer: Answer, *, has_balance: bool | None = None) -> Answer:
        """The answer, which must be that refusal, with or without a balance as the contract says."""
        expect_answered(what, answer)
        if answer.code != code:
            raise Unmet(what, code_text(code), refusal_text(answer))
        description = answer.body.get("errorDescription")
        is_told = isinstance(description, str) and bool(description.strip())
        expect_that(f"{what}: errorDescription", "a text", description, holds=is_told, paragraph="1.5")
        carries = code >= FIRST_WITH_BALANCE if has_balance is None else has_balance
        wanted = "a balance" if carries else "no balance"
        is_right = ("balance" in answer.body) == carries
        expect_that(
            f"{what}, refused with {code}", wanted, answer.body, holds=is_right, paragraph="1 Error codes"
        )
        if carries:
            answer.money()
        return answer

    def refused_by_entry(self, what: str, code: int, answer: Answer) -> Answer:
        """The same for a call of the web front, whose refusals carry no balance."""
        return self.refused(what, code, answer, has_balance=False)

    def put_player(self, uid: str, **attributes: object) -> Answer:
        return self.front(f"/entry/players/{quote(uid)}", attributes, method="PUT")


def expect_answered(what: str, answer: Answer) -> None:
    """An answer is HTTP 200 and JSON, also if it is a refusal."""
    if answer.status != 200:
        raise Unmet(what, "HTTP 200", f"HTTP {answer.status}: {answer.raw[:300]!r}", "1.5")
    content_type = answer.headers.get("content-type", "")
    is_json = content_type.partition(";")[0].strip().lower() == JSON_TYPE
    expect_that(f"{what}: Content-Type", JSON_TYPE, content_type, holds=is_json, paragraph="1.1")


def refusal_text(answer: Answer) -> str:
    """What an answer says, for a report."""
    said = answer.body.get("errorDescription")
    return f"{code_text(answer.code)}: {said}" if said else code_text(answer.code)
