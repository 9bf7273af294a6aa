"""Where Redress answers otherwise than Envoy's transcoder, and why it is to stay so.

Each difference is recognised by both answers, and as narrowly as they allow: what Redress
refuses it names, and Envoy's answer is that of a service which was asked. One that is no
longer seen fails the check, as one does that is not here.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from envoy_proxy import PASSED_ON


@dataclass
class Difference:
    """Why ours is so, and whether a request with both answers is it."""

    why: str
    is_it: Callable


# What Envoy says of a list without naming its field.
UNNAMED = "Proto field is not repeating, cannot start list."


def in_words(envoys, status=None):
    """A refusal of Envoy's own."""
    return envoys.kind == "text/plain" and bool(envoys.body) and status in (None, envoys.status)


def was_asked(envoys):
    """An answer of a service, through Envoy."""
    return envoys.kind == "application/json" and isinstance(envoys.body, dict)


def refuses(*sentences):
    """Ours refuses every field at fault with one of these; Envoy asked the service."""

    def is_it(_, ours, envoys):
        told = ours.sentences()
        named = told and all(sentence.startswith(sentences) for sentence in told)
        return bool(named) and ours.reasons() == ["INVALID_REQUEST"] and was_asked(envoys)

    return is_it


def says(reason, status, envoys_status=None):
    """Ours refuses with a reason; Envoy asked the service."""

    def is_it(_, ours, envoys):
        refused = ours.status == status and ours.reasons() == [reason] and was_asked(envoys)
        return refused and envoys_status in (None, envoys.status)

    return is_it


def query(request):
    return request.path.partition("?")[2]


def same_in_words(_, ours, envoys):
    """The same is refused with the same status; Envoy's sentence is about a field that ours names."""
    if ours.status != envoys.status or not in_words(envoys):
        return False
    fields = [re.sub(r"\[.*", "", field).rsplit(".", 1)[-1] for field in ours.fields()]
    told = [field for field in fields if field in envoys.body] or "body" in fields or UNNAMED in envoys.body
    reasons = {"UNREADABLE_JSON", "TOO_DEEP", "NO_SUCH_PATH"}
    return bool(told) if ours.reasons() == ["INVALID_REQUEST"] else set(ours.reasons()) <= reasons


def unknown_parameter(request, ours, envoys):
    found = re.match(r'(?:Could not find|Encountered a non-leaf) field "([^"]*)"', str(envoys.body))
    told = ("there is no such field", "has no place in the query")
    return bool(found) and any(sentence.startswith(told) for sentence in ours.sentences())


def passed_on(request, ours, envoys):
    return request.port == "usual" and envoys.body == PASSED_ON and ours.status in (400, 404, 405)


def without_value(request, ours, envoys):
    named = [part for part in query(request).split("&") if part and not re.match("[^=]+=", part)]
    return bool(named) and ours.status == 400 and was_asked(envoys)


def plus(request, ours, envoys):
    """A plus that is no part of an escape: whichever reads the value refuses it, or both another value."""
    return "+" in query(request) and {ours.status, envoys.status} <= {200, 400} and envoys.kind == "application/json"


def bad_text(_, ours, envoys):
    return any("UTF-8" in told for told in ours.sentences()) and envoys.reasons() == ["UNREADABLE_MESSAGE"]


def too_long(request, ours, envoys):
    long_path = len(request.path) > 4096 and ours.reasons() == ["NO_SUCH_PATH"]
    long_query = ours.fields() == ["query"] and ours.sentences()[0].startswith(("is longer than", "has more than"))
    return (long_path or long_query) and was_asked(envoys)


def colon(request, ours, envoys):
    """Ours asked a service, with a colon in a value."""
    asked = bool(ours.reasons()) and ours.reasons()[0] not in ("NO_SUCH_PATH", "METHOD_NOT_ALLOWED", "INVALID_REQUEST")
    return "/:" in request.path and asked and in_words(envoys, 404)


def header(name, *pairs):
    def is_it(request, ours, envoys):
        has_it = name in {told.lower() for told in request.headers}
        return has_it and (ours.status, envoys.status) in pairs

    return is_it


def messages(ours):
    """The messages of a stream, and how it ended."""
    if ours.kind == "application/x-ndjson":
        lines = ours.body
    else:
        events = [event.partition("data: ") for event in ours.body.split("\n\n") if event]
        lines = [{"status" if told else "result": json.loads(data)} for told, _, data in events]
    return [line["result"] for line in lines[:-1]], lines[-1]["status"]


def stream(kind):
    """The same messages, and ours say at last how it ended."""

    def is_it(_, ours, envoys):
        if ours.kind != kind or envoys.kind != "application/json" or ours.status != envoys.status:
            return False
        told, end = messages(ours)
        return told == envoys.body and "code" in end

    return is_it


def no_body(request, ours, envoys):
    """Envoy has no words for the same error."""
    same = ours.status == envoys.status and ours.status >= 400
    return request.port == "usual" and same and bool(ours.reasons()) and envoys.body in ("", [])


def leap_second(request, ours, envoys):
    """Envoy's request was another: its key is refused."""
    return b":60Z" in (request.body or b"") and ours.status == 200 and envoys.reasons() == ["IDEMPOTENCY_KEY_REUSED"]


DIFFERENCES = {
    "a query parameter nobody knows": Difference(
        "ours names every one, with all else that is wrong; Envoy names the first, in words", unknown_parameter
    ),
    "passed on as it came": Difference(
        "Envoy unless told otherwise passes on what it cannot transcode, to a server that speaks gRPC", passed_on
    ),
    "an error without a body": Difference(
        "of errors whose details are not in the contracts Envoy says the status alone; a stream's is []", no_body
    ),
    "a refusal in words": Difference(
        "ours is a google.rpc.Status with a reason and every field at fault; Envoy's is text/plain", same_in_words
    ),
    "another method": Difference(
        "ours says which methods there are; to Envoy there is no such path",
        lambda _, ours, envoys: ours.status == 405 and in_words(envoys) and envoys.status in (400, 404),
    ),
    "HEAD": Difference(
        "what may be read by GET has headers by HEAD; Envoy wants a rule of its own",
        lambda request, ours, envoys: request.method == "HEAD" and ours.kind != envoys.kind and envoys.status == 404,
    ),
    "OPTIONS": Difference(
        "ours says which methods there are",
        lambda request, ours, envoys: request.method == "OPTIONS" and ours.status == 204 and in_words(envoys, 404),
    ),
    "Connect and the document": Difference(
        "paths that are in no rule: of gRPC, spoken by Connect, and /openapi.json",
        lambda request, ours, envoys: (
            request.path.startswith(("/redress.", "/openapi.json")) and ours.status == 200 and in_words(envoys, 404)
        ),
    ),
    "a slash at the end": Difference(
        "one resource has one path; Envoy drops the slash",
        lambda request, ours, envoys: (
            request.path.partition("?")[0].endswith("/")
            and ours.reasons() == ["NO_SUCH_PATH"]
            and envoys.kind == "application/json"
        ),
    ),
    "an empty segment": Difference(
        "no segment of a variable is empty; to Envoy one of several may be",
        lambda request, ours, envoys: "//" in request.path and ours.reasons() == ["NO_SUCH_PATH"] and was_asked(envoys),
    ),
    "a colon that is no verb": Difference(
        "ours is a value with a colon where the method knows no such verb, or nothing is before it", colon
    ),
    "a fragment": Difference(
        "no client sends what is behind a #; ours ignores it",
        lambda request, ours, envoys: "#" in request.path and (ours.status, envoys.status) == (200, 400),
    ),
    "an escaped slash": Difference(
        "who makes a client of /openapi.json escapes every slash; Envoy leaves %2F as it is in several segments",
        lambda request, ours, envoys: (
            "%2f" in request.path.lower() and ours.status == 200 and envoys.reasons() == ["CATEGORY_NOT_FOUND"]
        ),
    ),
    "a long path or query": Difference("ours reads 4096 bytes of each, and 250 parameters", too_long),
    "a parameter without a value": Difference(
        "an empty value is no number and no name; Envoy drops the parameter", without_value
    ),
    "a plus in a query": Difference(
        "a space, as forms and URLSearchParams write it; to Envoy a plus, unless configured", plus
    ),
    "no UTF-8": Difference(
        "ours names the field; Envoy sends it to a service, which cannot read its message", bad_text
    ),
    "a variable in the query": Difference(
        "the path says which it is; in Envoy the query wins over the path",
        refuses("has no place in the query: it is in the path"),
    ),
    "a field of the body in the query": Difference(
        "a rule with the body * leaves nothing to the query; Envoy reads both",
        refuses("has no place in the query: everything"),
    ),
    "a body of what has none": Difference("it would not be read; Envoy drops it", refuses("a call with this method")),
    "another body than the path": Difference(
        "a contradiction is a mistake; in Envoy the path wins", refuses("is something else in the path")
    ),
    "a part of a time": Difference(
        "a time is one value; Envoy reads the fields of its message",
        lambda request, ours, envoys: "Time.seconds=" in request.path and ours.status == 400 and was_asked(envoys),
    ),
    "a field nobody knows": Difference(
        "a slip of the pen is told; Envoy drops the field, and so sends half a request",
        refuses("there is no such field"),
    ),
    "a field that is there twice": Difference(
        "who wrote it meant one of both; in Envoy the last one counts", refuses("is there twice")
    ),
    "another word for true": Difference(
        'JSON has true and false; Envoy reads "yes", "t", "1" and 1', refuses("must be true or false")
    ),
    "an enum by another value": Difference(
        "names, and numbers that have one; Envoy reads numbers in quotes, and passes on any number",
        refuses("must be one of"),
    ),
    "a number in another form": Difference(
        "JSON's forms; Envoy reads +5 in quotes and 0x1p0, and of large ones exponents",
        refuses("must be a whole number", "must be a number"),
    ),
    "another form of base64": Difference(
        "one text for the same bytes; Envoy skips white space, and bits that are left over",
        refuses("must be a string of base64"),
    ),
    "no list, or null in one": Difference(
        "a list is a list, all of it; Envoy makes one of a single value, drops null and flattens lists of lists",
        refuses("must be a JSON array", "must be a JSON object", "must be a string"),
    ),
    "another form of a time": Difference(
        "RFC 3339 and seconds with an s; Envoy reads objects with seconds, blanks, a plus and missing digits",
        refuses("must be a time", "must be a length of time"),
    ),
    "a leap second": Difference(
        "ours is the second before, and so the day that was written; Envoy's is the second after", leap_second
    ),
    "JSON that is none": Difference(
        "RFC 8259; Envoy reads single quotes, names without quotes, commas too many and control characters",
        says("UNREADABLE_JSON", 400),
    ),
    "another kind of body": Difference(
        "application/json alone: no foreign page can make a browser send it unasked; Envoy does not look",
        says("UNSUPPORTED_MEDIA_TYPE", 415),
    ),
    "another kind of answer": Difference(
        "who accepts nothing we write is told before anything is done",
        lambda _, ours, envoys: ours.reasons() == ["NOT_ACCEPTABLE"] and envoys.status == 200,
    ),
    "Idempotency-Key": Difference(
        "the field request_id; Envoy does not know it", header("idempotency-key", (200, 400), (400, 200))
    ),
    "If-Match": Difference(
        "the field expected_version; Envoy does not know it", header("if-match", (200, 409), (409, 200), (400, 200))
    ),
    "a stream as lines": Difference(
        "a message a line, and the last says how it ended; Envoy's array ends alike in every case",
        stream("application/x-ndjson"),
    ),
    "a stream as events": Difference("server-sent events, as accepted", stream("text/event-stream")),
}


def ours_alone(_, ours, envoys, name):
    return envoys.headers.get(name) is None


def envoys_alone(_, ours, envoys, name):
    return ours.headers.get(name) is None


# Headers that are compared; none but these may differ.
HEADERS = {
    "cache-control": Difference("answers are for who asked", ours_alone),
    "x-content-type-options": Difference("answers are what they say they are", ours_alone),
    "allow": Difference("with 405, and with OPTIONS", ours_alone),
    "www-authenticate": Difference("401 has to have it", ours_alone),
    "grpc-status": Difference("gRPC's own, which is no caller's of HTTP/JSON", envoys_alone),
    "grpc-message": Difference("gRPC's own, where an error has no body", envoys_alone),
    # What only one of both did is told by that one.
    "redress-consistency-token": Difference(
        "where one of both was refused", lambda _, ours, envoys, name: (ours.status == 200) != (envoys.status == 200)
    ),
    "retry-after": None,
}
