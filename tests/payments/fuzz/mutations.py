"""What can be done to a callback: to its bytes, its fields, its headers, its signature and its time."""

import json
import random
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

from tests.payments.fuzz.calls import FORM, JSON, Call, read_fields

Mutation = Callable[[random.Random, Call, Call], Call]
SIGNATURES = ("webhook-signature", "stripe-signature")
KINDS = [
    JSON,
    FORM,
    "text/plain",
    "",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "Application/JSON ",
    f"{FORM};charset=latin-1",
]
KINDS += [
    "application/json, application/x-www-form-urlencoded",
    "application/json; charset=\xe9",
    "application/json; charset=rot13",
    "application/ld+json",
]
ENCODINGS = ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037", "utf-7"]
NUMBERS = [
    "0",
    "-1",
    "1e999999999",
    "NaN",
    "Infinity",
    "4.990",
    "499e-2",
    "04.99",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    "9" * 400,
    "1" * 5000,
    '"\\ud800"',
    '"\\u0000"',
]
TYPES = [
    b"payment.succeeded",
    b"payment.failed",
    b"payment.refunded",
    b"payment.charged_back",
    b"payment.charge_back_reversed",
    b"payment",
]
PIECES = [
    b"\x00",
    b"\xff",
    b" ",
    b"\n",
    b'"',
    b"{",
    b"}",
    b",",
    b"&",
    b"=",
    b"%00",
    b"%",
    b"+",
    b"\\u0000",
    b"\xc3\xa4",
    b"\xed\xa0\x80",
    b"[" * 3000,
    b"0",
    b"9",
    b"-",
]
TIMES = ["+{}", " {}", "{} ", "0{}", "{}.0", "-{}", "{}e0", "{}0", "\u0661{}", "{},{}", "0x{}", "{}\n", ""]


def cut(dice: random.Random, data: bytes) -> tuple[int, int]:
    """Where a short piece of the data begins and ends."""
    begins = dice.randrange(len(data) + 1)
    return begins, min(len(data), begins + dice.choice((1, 1, 2, 4, 16)))


# --- The body ------------------------------------------------------------------------------------------


def flip_a_bit(dice: random.Random, call: Call, other: Call) -> Call:
    if not call.body:
        return call
    place = dice.randrange(len(call.body))
    return replace(
        call,
        body=call.body[:place] + bytes([call.body[place] ^ 1 << dice.randrange(8)]) + call.body[place + 1 :],
    )


def insert(dice: random.Random, call: Call, other: Call) -> Call:
    begins, _ = cut(dice, call.body)
    return replace(
        call,
        body=call.body[:begins]
        + dice.choice([*PIECES, dice.randbytes(dice.randrange(1, 9))])
        + call.body[begins:],
    )


def drop(dice: random.Random, call: Call, other: Call) -> Call:
    begins, ends = cut(dice, call.body)
    return replace(call, body=call.body[:begins] + call.body[ends:])


def surround(dice: random.Random, call: Call, other: Call) -> Call:
    """Something before or after it that a careless reader overlooks."""
    added = dice.choice((b" ", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\x0c", b"{}", b"&"))
    return replace(call, body=dice.choice((added + call.body, call.body + added)))


def truncate(dice: random.Random, call: Call, other: Call) -> Call:
    return replace(call, body=call.body[: dice.randrange(len(call.body) + 1)])


def double(dice: random.Random, call: Call, other: Call) -> Call:
    begins, ends = cut(dice, call.body)
    return replace(call, body=dice.choice((call.body[:ends] + call.body[begins:], call.body * 2)))


def swap(dice: random.Random, call: Call, other: Call) -> Call:
    """Two neighbouring pieces change places."""
    begins, middle = cut(dice, call.body)
    ends = min(len(call.body), middle + middle - begins)
    return replace(
        call, body=call.body[:begins] + call.body[middle:ends] + call.body[begins:middle] + call.body[ends:]
    )


def change_a_digit(dice: random.Random, call: Call, other: Call) -> Call:
    places = [found.start() for found in re.finditer(rb"[0-9]", call.body)]
    if not places:
        return call
    place = dice.choice(places)
    return replace(call, body=call.body[:place] + str(dice.randrange(10)).encode() + call.body[place + 1 :])


def change_the_type(dice: random.Random, call: Call, other: Call) -> Call:
    return replace(
        call,
        body=re.sub(
            rb"payment\.[a-z_]+|charge\.[a-z.]+|checkout\.[a-z._]+", dice.choice(TYPES), call.body, count=1
        ),
    )


def change_a_value(dice: random.Random, call: Call, other: Call) -> Call:
    """A value of JSON becomes another one, or is written in another way."""
    values = list(re.finditer(rb'(?<=: )("[^"]*"|[0-9.]+)', call.body))
    if not values:
        return call
    found = dice.choice(values)
    return replace(
        call, body=call.body[: found.start()] + dice.choice(NUMBERS).encode() + call.body[found.end() :]
    )


def escape(dice: random.Random, call: Call, other: Call) -> Call:
    """A character is written in another way that says the same."""
    begins, _ = cut(dice, call.body[:-1] or b" ")
    is_form = call.headers.get("content-type", "").startswith(FORM)
    said = call.body[begins : begins + 1]
    spelt = b"".join(b"%%%02x" % byte if is_form else b"\\u%04x" % byte for byte in said)
    return replace(call, body=call.body[:begins] + spelt + call.body[begins + 1 :])


def encode_anew(dice: random.Random, call: Call, other: Call) -> Call:
    return replace(call, body=call.body.decode("latin-1").encode(dice.choice(ENCODINGS), errors="replace"))


def take_the_other_body(dice: random.Random, call: Call, other: Call) -> Call:
    return replace(call, body=other.body)


def double_a_field(dice: random.Random, call: Call, other: Call) -> Call:
    """A field stands there twice, with the same value or another one."""
    name = dice.choice(
        ["uid", "cpOrderId", "productPrice", "ts", "sign", "type", "data", "extParams", "note"]
    )
    value = dice.choice(["1", "", (read_fields(call) or {}).get(name, "x")])
    if call.headers.get("content-type", "").startswith(FORM):
        added = f"{name}={value}".encode()
        return replace(
            call,
            body=dice.choice((call.body + b"&" + added, added + b"&" + call.body, call.body + b";" + added)),
        )
    added = f"{json.dumps(name)}: {json.dumps(value)}".encode()
    return replace(
        call, body=dice.choice((call.body[:-1] + b", " + added + b"}", b"{" + added + b", " + call.body[1:]))
    )


def move_between_fields(dice: random.Random, call: Call, other: Call) -> Call:
    """Of order-notify: characters go from one signed field to its neighbour, under the same signature."""
    fields = read_fields(call)
    order = ["cpOrderId", "serverId", "uid", "productPrice", "productId", "ts"]
    if not fields or not all(name in fields for name in order):
        return call
    place, count = dice.randrange(5), dice.choice((1, 1, 2, 5, 32))
    left, right = order[place], order[place + 1]
    joined, at = fields[left] + fields[right], len(fields[left]) + dice.choice((-count, count))
    return respelt(call, fields | {left: joined[: max(at, 0)], right: joined[max(at, 0) :]})


def respell(dice: random.Random, call: Call, other: Call) -> Call:
    """The same fields in another order, as the other kind of body, or with one left out or added."""
    fields = read_fields(call)
    if not fields:
        return call
    names = dice.sample(list(fields), len(fields))
    if dice.random() < 0.3:
        names.pop()
    fields = {name: fields[name] for name in names} | dice.choice(
        ({}, {}, {"extParams": "changed"}, {"note": "x"})
    )
    kind = dice.choice((JSON, FORM, call.headers.get("content-type", "")))
    return respelt(replace(call, headers=call.headers | {"content-type": kind}), fields)


def respelt(call: Call, fields: dict[str, str]) -> Call:
    from_form = call.headers.get("content-type", "").startswith(FORM)
    text = "&".join(f"{name}={value}" for name, value in fields.items()) if from_form else json.dumps(fields)
    return replace(call, body=text.encode(errors="replace"))


# --- Headers, signature, time --------------------------------------------------------------------------


def with_header(call: Call, name: str, value: str) -> Call:
    return replace(call, headers=call.headers | {name: value})


def change_a_header(dice: random.Random, call: Call, other: Call) -> Call:
    name = dice.choice(list(call.headers))
    value, place = call.headers[name], dice.randrange(len(call.headers[name]) + 1)
    letter = chr(dice.choice((dice.randrange(32, 127), dice.randrange(128, 256))))
    tries = (
        value[:place] + letter + value[place:],
        value[:place] + value[place + 1 :],
        value[:place],
        value.upper(),
        value.lower(),
        value.swapcase(),
    )
    return with_header(
        call, name, dice.choice((*tries, f" {value}", f"{value}\t", f"{value}, {value}", "", letter * 600))
    )


def drop_a_header(dice: random.Random, call: Call, other: Call) -> Call:
    name = dice.choice(list(call.headers))
    return replace(call, headers={key: value for key, value in call.headers.items() if key != name})


def add_a_header(dice: random.Random, call: Call, other: Call) -> Call:
    """One that nobody signs."""
    name = dice.choice(
        (
            "user-agent",
            "x-forwarded-for",
            "svix-id",
            "webhook-version",
            "authorization",
            "x-webhook-id",
            "content-language",
        )
    )
    return with_header(call, name, dice.choice(("x", "\xe4", "10.0.0.1", "Basic eDp5", "a" * 600)))


def change_the_kind(dice: random.Random, call: Call, other: Call) -> Call:
    return with_header(call, "content-type", dice.choice(KINDS))


def take_the_other_header(dice: random.Random, call: Call, other: Call) -> Call:
    name = dice.choice(list(other.headers))
    return with_header(call, name, other.headers[name])


def change_the_signature(dice: random.Random, call: Call, other: Call) -> Call:
    """Several, of other versions, in other alphabets, half of one, none."""
    name = next((name for name in SIGNATURES if name in call.headers), "")
    if not name:
        return replace(
            call,
            body=re.sub(
                rb"[0-9A-F]{32}",
                lambda found: dice.choice((found[0].lower(), found[0][:31], b"0" * 32, found[0] + b" ")),
                call.body,
            ),
        )
    right, wrong = call.headers[name], "v1," + b64encode(dice.randbytes(32)).decode()
    if len(right) < len(wrong):
        return with_header(call, name, wrong)
    version, _, rest = right.partition(",")
    ways = [
        f"{wrong} {right}",
        f"{right} {wrong}",
        f"{wrong} " * 10 + right,
        f"v2,{rest}",
        f"v1a,{rest}",
        f"V1,{rest}",
        rest,
        f"{version},,{rest}",
        f"{version} {rest}",
    ]
    ways += [
        right.replace("+", "-").replace("/", "_"),
        right.rstrip("="),
        right + "=",
        right.replace("=", ""),
        right[:-3],
        "v1,",
        "v1",
        wrong,
        right * 2,
        f"{right},{right}",
    ]
    ways += [
        right[:-2] + chr(ord(right[-2]) ^ 1) + right[-1],
        f"  {right}",
        f"{right}\n",
        right.replace("v1=", "v0="),
        right.replace("t=", "t=1"),
        f"t=1,{right}",
        f"{right},t=9",
    ]
    return with_header(call, name, dice.choice(ways))


def change_the_time(dice: random.Random, call: Call, other: Call) -> Call:
    """The time that stands there, or the one at which it arrives."""
    if "webhook-timestamp" in call.headers and dice.random() < 0.5:
        at = call.headers["webhook-timestamp"]
        number = str(int(at) + dice.choice((-1, 1, 300, -86400))) if at.isascii() and at.isdigit() else at
        return with_header(
            call, "webhook-timestamp", dice.choice([number, *(form.format(at, at) for form in TIMES)])
        )
    return replace(call, late=dice.choice((-86400, -302, -301, -300, -1, 1, 299, 300, 301, 86400)))


BODY: tuple[Mutation, ...] = (
    *(
        flip_a_bit,
        insert,
        drop,
        surround,
        truncate,
        double,
        swap,
        change_a_digit,
        change_the_type,
        change_a_value,
        escape,
        encode_anew,
    ),
    *(take_the_other_body, double_a_field, move_between_fields, respell),
)
AROUND: tuple[Mutation, ...] = (
    *(change_a_header, drop_a_header, add_a_header, change_the_kind, take_the_other_header),
    *(change_the_signature, change_the_signature, change_the_time, change_the_time),
)


def mutated(dice: random.Random, call: Call, other: Call) -> Call:
    """One to three changes of a callback; `other` is another genuine one, to take parts of."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3))):
        call = dice.choice(dice.choice((BODY, AROUND)))(dice, call, other)
        if not call.headers:
            break
    return call
