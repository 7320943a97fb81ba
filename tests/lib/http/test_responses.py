"""Answers in JSON are as Django itself would make them."""

from django.http import HttpResponse

from lib.http.responses import json_answer


def as_django(content: bytes) -> HttpResponse:
    headers = {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(len(content)),
    }
    return HttpResponse(content, status=200, headers=headers)


def test_answer__has_all_that_djangos_has() -> None:
    answer, expected = json_answer({"a": 1}), as_django(b'{"a":1}')
    ours, theirs = vars(answer) | {"headers": 0}, vars(expected) | {"headers": 0}
    assert ours == theirs
    assert answer.serialize() == expected.serialize()
    assert [*answer.items()] == [*expected.items()]


def test_answer__shares_nothing_with_another() -> None:
    one, other = json_answer({}), json_answer({})
    one["Allow"] = "POST"
    one.set_cookie("a", "b")
    assert not other.has_header("allow")
    assert not other.cookies


def test_answer__headers_are_found_in_any_case_and_replaced() -> None:
    answer = json_answer({})
    answer.headers.put("Allow", "POST")
    answer["allow"] = "PUT"
    assert answer.headers["ALLOW"] == "PUT"
    assert "allow: PUT" in answer.serialize_headers().decode()
