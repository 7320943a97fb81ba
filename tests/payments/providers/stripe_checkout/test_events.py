"""Events of Stripe: their signature, and what each of them says."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stripe import SignatureVerificationError, WebhookSignature, api_version

from payments.models import Provider
from payments.providers.adapters import adapter_for
from payments.providers.protocol import Event, EventType, ProviderConfig, RawCallback
from payments.providers.signatures.refused import Refused
from payments.providers.stripe_checkout.minor_units import Inexpressible, from_stripe, is_payable, to_stripe
from tests.support.callers import Callers
from tests.support.stripe_events import HERE, NAMES, recorded, signed

SECRET, OLDER, OTHER = "whsec_" + "a1" * 16, "whsec_" + "b2" * 16, "whsec_" + "c3" * 16
NOW = 1_730_000_200
ADAPTER = adapter_for(Provider.Scheme.STRIPE)
ORDER = UUID("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506")
SESSION, INTENT, DISPUTE = (
    "cs_test_a1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
    "pi_3QJx2aLkdIwHu7ix0aBcDeFg",
    "dp_1QJx9zLkdIwHu7ixOpQrStUv",
)
TERMS = ProviderConfig(
    id=UUID(int=1),
    slug="stripe",
    name="Stripe",
    scheme="stripe",
    is_active=True,
    is_live=False,
    currency=None,
    page_url="",
    networks=(),
    timeout_seconds=1,
    callback_secrets=(SECRET, OLDER),
    api_secret="sk_test_51FakeFakeFakeFake",
)


@pytest.fixture(autouse=True)
def currencies(callers: Callers) -> None:
    """Events name currencies, and these have to be known."""


def verified(body: bytes, header: str, terms: ProviderConfig = TERMS, at: int = NOW) -> Event:
    return ADAPTER.verify(terms, RawCallback({"stripe-signature": header}, body, "192.0.2.1", at))


def read(said: object, terms: ProviderConfig = TERMS) -> Event:
    """What a genuine event says."""
    body = json.dumps(said).encode()
    return verified(body, signed(body, SECRET, NOW), terms)


# --- What events say ------------------------------------------------------------------------------------

SUCCESS = Event("", EventType.SUCCEEDED, ORDER, INTENT, 4_99, "EUR", start_reference=SESSION)
TAKEN_BACK = Event("", EventType.CHARGED_BACK, None, DISPUTE, 4_99, "EUR", payment_reference=INTENT)
LOST = replace(TAKEN_BACK, is_final=True)
GIVEN_BACK = replace(TAKEN_BACK, type=EventType.CHARGE_BACK_REVERSED, is_final=True)
NOTHING = Event("")
SAYS = {
    "completed_paid": SUCCESS,
    "completed_unpaid": NOTHING,
    "completed_free": Event("", problem="the session is complete, but nothing was paid"),
    "async_payment_succeeded": SUCCESS,
    "async_payment_failed": Event("", EventType.FAILED, ORDER, INTENT, start_reference=SESSION),
    "expired": NOTHING,
    "charge_refunded": Event(
        "", EventType.REFUNDED, ORDER, currency="EUR", payment_reference=INTENT, total=1_00
    ),
    "refund_failed": Event(
        "",
        EventType.REFUND_REVERSED,
        None,
        "re_3QJx2aLkdIwHu7ix0LmNoPqR",
        1_00,
        "EUR",
        payment_reference=INTENT,
        is_final=True,
    ),
    "dispute_created": TAKEN_BACK,
    "dispute_funds_withdrawn": TAKEN_BACK,
    "dispute_updated": TAKEN_BACK,
    "dispute_closed_won": GIVEN_BACK,
    "dispute_closed_lost": LOST,
    "dispute_funds_reinstated": GIVEN_BACK,
    "inquiry_created": NOTHING,
    "inquiry_closed": GIVEN_BACK,
}
# What says how something stands says since when, by the event's own time.
TELLING = (
    "charge_refunded",
    "refund_failed",
    "inquiry_closed",
    *(name for name in SAYS if "dispute" in name),
)


def test_stripe_event__recordings_are_of_the_pinned_api_version() -> None:
    assert set(SAYS) == set(NAMES)
    assert {json.loads((HERE / f"{name}.json").read_text())["api_version"] for name in NAMES} == {api_version}


@pytest.mark.parametrize("name", NAMES)
def test_stripe_event__says_what_happened(name: str) -> None:
    event = recorded(name)
    at = datetime.fromtimestamp(event["created"], UTC) if name in TELLING else None
    assert read(event) == replace(SAYS[name], message_id=event["id"], told_at=at)


def test_stripe_event__irrelevant_one_says_nothing() -> None:
    event = recorded("completed_paid") | {"type": "payment_intent.succeeded"}
    assert read(event) == Event(event["id"])


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("completed_paid", {"payment_status": "later"}, "the session is complete, but nothing was paid"),
        (
            "async_payment_succeeded",
            {"payment_status": "unpaid"},
            "the session is complete, but nothing was paid",
        ),
        ("completed_paid", {"payment_intent": None}, "payment_intent is missing or no id"),
        ("completed_paid", {"payment_intent": {"id": 5}}, "payment_intent is missing or no id"),
        ("completed_paid", {"payment_intent": "pi_\0"}, "payment_intent is missing or no id"),
        ("completed_paid", {"id": "x" * 256}, "id is missing or no id"),
        ("completed_paid", {"amount_total": 4.99}, "amount_total is missing or no amount"),
        ("completed_paid", {"amount_total": True}, "amount_total is missing or no amount"),
        ("completed_paid", {"amount_total": -1}, "amount_total is missing or no amount"),
        ("completed_paid", {"amount_total": 10**17}, "amount_total is missing or no amount"),
        ("completed_paid", {"currency": "EUR"}, "currency is missing or malformed"),
        ("completed_paid", {"currency": "zzz"}, "currency ZZZ is not known here"),
        ("dispute_created", {"payment_intent": 5}, "payment_intent is missing or no id"),
    ],
)
def test_stripe_event__genuine_nonsense_has_a_problem(
    name: str, changes: dict[str, Any], problem: str
) -> None:
    event = recorded(name, **changes)
    assert read(event) == Event(event["id"], problem=problem)


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("refund_failed", {"status": "lost"}, "its status is none that is known"),
        ("refund_failed", {"created": True}, "created is missing or no time"),
        ("refund_failed", {"currency": "zzz"}, "currency ZZZ is not known here"),
        ("dispute_created", {"status": "pending"}, "its status is none that is known"),
        ("dispute_created", {"status": None}, "its status is none that is known"),
        ("charge_refunded", {"amount_refunded": None}, "amount_refunded is missing or no amount"),
        (
            "dispute_funds_reinstated",
            {"status": "lost"},
            f"money of dispute {DISPUTE} came back, but it is not won: a person has to look",
        ),
    ],
)
def test_stripe_event__return_with_a_problem_says_of_which_payment_it_is(
    name: str, changes: dict[str, Any], problem: str
) -> None:
    event = recorded(name, **changes)
    said = read(event)
    at = datetime.fromtimestamp(event["created"], UTC)
    assert said == Event(
        event["id"], order_id=SAYS[name].order_id, payment_reference=INTENT, told_at=at, problem=problem
    )


@pytest.mark.parametrize("name", ["refund_failed", "dispute_created", "dispute_closed_won"])
def test_stripe_event__return_of_nothing_says_nothing(name: str) -> None:
    event = recorded(name, amount=0)
    assert read(event) == Event(event["id"])


# --- The statuses that Stripe documents, in each event that has one ---------------------------------------

GONE, KEPT = EventType.CHARGED_BACK, EventType.CHARGE_BACK_REVERSED
DONE, FAILED = EventType.REFUNDED, EventType.REFUND_REVERSED


@pytest.mark.parametrize(
    ("status", "type", "is_final"),
    [
        ("pending", None, False),
        ("requires_action", None, False),
        ("succeeded", DONE, False),
        ("failed", FAILED, True),
        ("canceled", FAILED, True),
    ],
)
@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_stripe_event__refund_stands_as_its_status_says(
    kind: str, status: str, type: EventType | None, *, is_final: bool
) -> None:
    event = read(recorded("refund_failed", status=status) | {"type": kind})
    assert (event.type, event.is_final, event.problem) == (type, is_final, "")


@pytest.mark.parametrize(
    ("status", "type", "is_final"),
    [
        ("warning_needs_response", None, False),
        ("warning_under_review", None, False),
        ("warning_closed", KEPT, True),
        ("needs_response", GONE, False),
        ("under_review", GONE, False),
        ("won", KEPT, True),
        ("lost", GONE, True),
        ("prevented", KEPT, True),
        ("charge_refunded", KEPT, True),
    ],
)
@pytest.mark.parametrize("kind", ["created", "updated", "closed"])
def test_stripe_event__dispute_stands_as_its_status_says(
    kind: str, status: str, type: EventType | None, *, is_final: bool
) -> None:
    event = read(recorded("dispute_created", status=status) | {"type": f"charge.dispute.{kind}"})
    assert (event.type, event.is_final, event.problem) == (type, is_final, "")


def test_stripe_event__our_refund_is_named_by_our_id() -> None:
    ids = {"wallet_refund_id": str(ORDER), "wallet_order_id": str(ORDER)}
    event = read(recorded("refund_failed", metadata=ids))
    assert (event.refund_id, event.order_id) == (ORDER, ORDER)


# --- Versions of the API, and what else the account has ---------------------------------------------------

CHARGE = {"id": "ch_1", "payment_intent": INTENT, "metadata": {"wallet_order_id": str(ORDER)}}


@pytest.mark.parametrize("name", ["completed_paid", "charge_refunded", "refund_failed", "dispute_created"])
@pytest.mark.parametrize("version", ["2019-03-14", "2022-08-01", "2024-10-28.acacia", "2031-01-01.later"])
def test_stripe_event__says_the_same_in_every_api_version(name: str, version: str) -> None:
    event = recorded(name)
    assert read(event | {"api_version": version}) == read(event)


@pytest.mark.parametrize("name", ["completed_paid", "charge_refunded", "refund_failed", "dispute_created"])
def test_stripe_event__says_the_same_with_expanded_objects(name: str) -> None:
    event = recorded(name)
    plain = read(event)
    event["data"]["object"] |= {
        "payment_intent": {"id": INTENT, "object": "payment_intent"},
        "charge": CHARGE,
    }
    expanded = read(event)
    assert replace(expanded, order_id=plain.order_id) == plain
    assert expanded.order_id == ORDER


def test_stripe_event__early_dispute_names_its_payment_in_its_charge() -> None:
    event = recorded("dispute_created")
    del event["data"]["object"]["payment_intent"]
    assert read(event).problem == "payment_intent is missing or no id"
    event["data"]["object"]["charge"] = CHARGE
    assert (read(event).payment_reference, read(event).order_id) == (INTENT, ORDER)


@pytest.mark.parametrize("name", [name for name in NAMES if SAYS[name] != NOTHING])
def test_stripe_event__of_a_connected_account_says_nothing(name: str) -> None:
    event = recorded(name) | {"account": "acct_1OtherAccount", "livemode": True}
    assert read(event) == Event(event["id"])


@pytest.mark.parametrize("name", ["completed_paid", "completed_free", "async_payment_failed"])
def test_stripe_event__session_of_another_product_says_nothing(name: str) -> None:
    event = recorded(name, metadata={"product": "other"}, payment_intent=None)
    assert read(event) == Event(event["id"])


@pytest.mark.parametrize("name", ["charge_refunded", "refund_failed", "dispute_created"])
def test_stripe_event__without_payment_intent_is_not_ours(name: str) -> None:
    event = recorded(name, payment_intent=None)
    assert read(event) == Event(event["id"])


@pytest.mark.parametrize(
    "changes", [{"livemode": True}, {"livemode": None}, {"livemode": 0}, {"livemode": "false"}]
)
def test_stripe_event__other_mode_is_a_problem(changes: dict[str, Any]) -> None:
    event = recorded("completed_paid") | changes
    assert read(event) == Event(event["id"], problem="it is not of the test mode that this provider is in")


def test_stripe_event__live_provider_hears_only_live_events() -> None:
    live, event = replace(TERMS, is_live=True), recorded("completed_paid")
    assert read(event, live).problem == "it is not of the live mode that this provider is in"
    assert read(event | {"livemode": True}, live) == replace(SUCCESS, message_id=event["id"])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"object": "v2.core.event"}, "it is no snapshot event: the endpoint must send those"),
        ({"type": ["charge.refunded"]}, "type or data is missing"),
        ({"data": []}, "type or data is missing"),
        ({"data": {"object": "x"}}, "data has no object"),
    ],
)
def test_stripe_event__anything_but_an_event_has_a_problem(changes: dict[str, Any], problem: str) -> None:
    event = recorded("completed_paid") | changes
    assert read(event) == Event(event["id"], problem=problem)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        {},
        {"wallet_order_id": 5},
        {"wallet_order_id": "1234"},
        {"wallet_order_id": str(ORDER).upper()},
    ],
)
def test_stripe_event__payment_not_asked_by_us_names_no_order(metadata: object) -> None:
    assert read(recorded("completed_paid", metadata=metadata)).order_id is None


# --- Signatures -----------------------------------------------------------------------------------------

BODY = json.dumps(recorded("completed_paid")).encode()


def refused(body: bytes, header: str, terms: ProviderConfig = TERMS, at: int = NOW) -> str:
    with pytest.raises(Refused) as problem:
        verified(body, header, terms, at)
    return str(problem.value)


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_stripe_signature__each_live_secret_signs(secret: str) -> None:
    assert verified(BODY, signed(BODY, secret, NOW)).type == EventType.SUCCEEDED


def test_stripe_signature__one_of_several_in_a_header_must_match() -> None:
    ours, theirs = signed(BODY, OLDER, NOW), signed(BODY, OTHER, NOW).partition(",")[2]
    assert verified(BODY, f"{ours},{theirs},v0={'0' * 64}").type == EventType.SUCCEEDED
    assert refused(BODY, f"t={NOW},{theirs}") == "The signature is not of a live secret."


def test_stripe_signature__other_provider_secret_signs_nothing() -> None:
    assert refused(BODY, signed(BODY, OTHER, NOW)) == "The signature is not of a live secret."
    assert (
        refused(BODY, signed(BODY, SECRET, NOW), replace(TERMS, callback_secrets=()))
        == "The signature is not of a live secret."
    )


@pytest.mark.parametrize("away", [-300, 300])
def test_stripe_signature__tolerates_5_minutes_by_database_clock(away: int) -> None:
    # Years from the clock of the machine, which the library would ask.
    assert verified(BODY, signed(BODY, SECRET, NOW), at=NOW + away).type == EventType.SUCCEEDED
    further = away + (1 if away > 0 else -1)
    assert (
        refused(BODY, signed(BODY, SECRET, NOW), at=NOW + further)
        == "The message is too old, or from the future."
    )


RIGHT = signed(BODY, SECRET, NOW)
HEX = RIGHT.partition("v1=")[2]


MALFORMED = [
    "",
    ",",
    "t=",
    HEX,
    f"t={NOW}",
    f"v1={HEX}",
    f"t={NOW},v1=",
    f"t={NOW}, v1={HEX}",
    f"t=0{NOW},v1={HEX}",
    f"t=+{NOW},v1={HEX}",
    f"t={NOW}.0,v1={HEX}",
    f"t=1_730_000_200,v1={HEX}",
    f"t={NOW},t={NOW},v1={HEX}",
    f"t={NOW + 1},t={NOW},v1={HEX}",
    f"t={NOW},v0={HEX}",
    f"t={NOW},v1={HEX.upper()}",
    f"t={NOW},v1={HEX[:-1]}",
    f"t={NOW},v1={HEX}0",
    f"t={NOW},v1=ä{HEX}",
    f"t={NOW},v1={HEX}\n",
    f"t={NOW}," + f"v1={'0' * 64}," * 20 + f"v1={HEX}",
    "t=١٧٣٠٠٠٠٢٠٠,v1=" + HEX,
]


# By their numbers: each process makes a body with ids of its own, and so other signatures.
@pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
def test_stripe_signature__malformed_header_is_refused(header: str) -> None:
    refused(BODY, header)


def test_stripe_signature__missing_header_is_refused() -> None:
    with pytest.raises(Refused, match="missing or malformed"):
        ADAPTER.verify(TERMS, RawCallback({}, BODY, "192.0.2.1", NOW))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"evt_1"',
        b"{}",
        b'{"id": 5}',
        b'{"id": ""}',
        b'{"id": "evt_\\u0000"}',
        b'{"id": NaN}',
    ],
)
def test_stripe_event__genuine_body_without_an_id_is_refused(body: bytes) -> None:
    refused(body, signed(body, SECRET, NOW))


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"id":"evt_1","data":' + b'{"a":' * 10_000, b'{"id":' + b"9" * 5000 + b"}"]
)
def test_stripe_event__deep_or_long_body_is_refused(body: bytes) -> None:
    refused(body, signed(body, SECRET, NOW))


def test_stripe_event__body_that_is_not_utf_8_is_refused() -> None:
    assert refused(b"\xff\xfe", RIGHT) == "The signature is not of a live secret."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    body=st.binary() | st.just(BODY),
    header=st.text() | st.from_regex(r"t=[0-9]{1,12}(,v[01]=[0-9a-f]*)*", fullmatch=True) | st.just(RIGHT),
)
@settings(max_examples=300, deadline=None)
@example(body=BODY, header=RIGHT)
def test_stripe_signature__unsigned_is_refused_and_nothing_else(body: bytes, header: str) -> None:
    if (body, header) == (BODY, RIGHT):
        assert verified(body, header).type == EventType.SUCCEEDED
    else:
        refused(body, header)


@given(place=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_stripe_signature__changed_byte_is_never_accepted(place: int, byte: int) -> None:
    changed = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    if changed != BODY:
        refused(changed, RIGHT)


@given(
    said=JSON,
    field=st.sampled_from(["id", "object", "livemode", "type", "data"]),
    inner=st.sampled_from([None, "id", "amount_total", "currency", "metadata"]),
)
@settings(max_examples=300, deadline=None)
def test_stripe_event__genuine_body_of_any_types_read_or_refused(
    said: object, field: str, inner: str | None
) -> None:
    event = recorded("completed_paid")
    if inner:
        event["data"]["object"][inner] = said
    else:
        event[field] = said
    body = json.dumps(event).encode()
    try:
        told = verified(body, signed(body, SECRET, NOW))
    except Refused:
        return
    # What is stored is text that a database can keep.
    assert told.message_id.isprintable()
    assert told.reference.isprintable()
    assert told.problem.isprintable()


@given(header=st.text(alphabet="tv01=,59a", max_size=40))
@settings(max_examples=200, deadline=None)
def test_stripe_signature__what_we_accept_the_library_accepts(header: str) -> None:
    try:
        WebhookSignature.verify_header(BODY, header, SECRET)
    except SignatureVerificationError:
        refused(BODY, header)


# --- Secrets and amounts --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SECRET, "whsec_" + "0f" * 32, "whsec_" + "Ab9" * 12])
def test_stripe_secret__genuine_signing_secret_is_taken(text: str) -> None:
    ADAPTER.check_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_short",
        "a1" * 20,
        "whsec_" + "a b" * 10,
        "whsec_" + "ä" * 30,
        SECRET + "\n",
        "sk_test_" + "a" * 30,
    ],
)
def test_stripe_secret__other_text_is_no_signing_secret(text: str) -> None:
    with pytest.raises(ValueError, match="A Stripe signing secret is whsec_"):
        ADAPTER.check_secret(text)


@pytest.mark.parametrize(
    ("currency", "decimals", "ours", "stripes"),
    [
        ("EUR", 2, 4_99, 499),
        ("EUR", 4, 4_9900, 499),
        ("EUR", 0, 5, 500),
        ("JPY", 0, 500, 500),
        ("JPY", 2, 500_00, 500),
        ("BHD", 3, 5_120, 5120),
        ("BHD", 2, 5_12, 5120),
        ("ISK", 0, 5, 500),
        ("ISK", 2, 5_00, 500),
        ("UGX", 0, 5, 500),
        ("CLF", 4, 1_5000, 150),
        ("MRU", 1, 1_5, 150),
        ("USD", 2, 10**17 - 1, 10**17 - 1),
    ],
)
def test_stripe_amount__means_the_same_in_stripe_minor_units(
    currency: str, decimals: int, ours: int, stripes: int
) -> None:
    assert to_stripe(ours, currency, decimals) == stripes
    assert from_stripe(stripes, currency, decimals) == ours


@pytest.mark.parametrize(
    ("currency", "decimals", "ours"),
    [
        ("EUR", 4, 4_9901),
        ("JPY", 2, 500_01),
        ("BHD", 3, 5_124),
        ("BHD", 4, 5_1201),
        ("ISK", 2, 5_01),
        ("CLF", 4, 1),
    ],
)
def test_stripe_amount__refused_if_stripe_cannot_express_it(currency: str, decimals: int, ours: int) -> None:
    with pytest.raises(Inexpressible):
        to_stripe(ours, currency, decimals)


@pytest.mark.parametrize(
    ("currency", "decimals", "stripes"),
    [("EUR", 0, 499), ("EUR", 1, 499), ("BHD", 2, 5124), ("ISK", 0, 501), ("UGX", 0, 50)],
)
def test_stripe_amount__refused_if_we_cannot_express_it(currency: str, decimals: int, stripes: int) -> None:
    with pytest.raises(Inexpressible):
        from_stripe(stripes, currency, decimals)


@pytest.mark.parametrize(
    ("currency", "is_taken"),
    [
        ("EUR", True),
        ("JPY", True),
        ("XOF", True),
        ("XAG", False),
        ("XAU", False),
        ("CLF", False),
        ("GEMS", False),
        ("eur", False),
        ("G1", False),
    ],
)
def test_stripe_currency__only_those_a_card_can_pay_are_taken(currency: str, is_taken: bool) -> None:
    assert is_payable(currency) is is_taken
    assert ADAPTER.takes(TERMS, currency) is is_taken
    assert not ADAPTER.takes(replace(TERMS, api_secret=""), currency)
    assert not ADAPTER.takes(replace(TERMS, currency="GBP"), currency)


def test_read__body_of_another_scheme_is_refused() -> None:
    """A provider's scheme may have been changed since: the replay says so, and goes on."""
    raw = RawCallback({}, b'{"type": "payment.succeeded", "data": {}}', "10.0.0.1", 0)
    with pytest.raises(Refused):
        adapter_for(TERMS.scheme).read(TERMS, raw)
