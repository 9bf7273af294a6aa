"""The requests that Redress and Envoy are both asked: some of every rpc by its contract,
and a table by hand of what HTTP and JSON leave open."""

import itertools
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

JSON = {"Content-Type": "application/json"}
# What is asked with a stream of answers ends soon, and so does what waits.
SOON = {"grpc-timeout": "300m"}
NOBODY = "00000000-0000-7000-8000-000000000000"
# Of a contract's fields, a value that fits, and one that does not.
VALUES = {
    Field.TYPE_STRING: ("care", 5),
    Field.TYPE_BOOL: (True, "yes"),
    Field.TYPE_INT32: (3, "three"),
    Field.TYPE_INT64: ("3", "three"),
    Field.TYPE_DOUBLE: (0.5, "half"),
    Field.TYPE_BYTES: ("AAEC", 5),
    ".google.protobuf.Timestamp": ("2026-01-02T03:04:05Z", "yesterday"),
    ".google.protobuf.Duration": ("1.5s", "a while"),
    Field.TYPE_MESSAGE: ({}, 5),
}
# It waits until something happens.
WAITING = {"PollTasks"}
# Of so many rpcs, one is asked with a slash at its end.
SLASHES = 10
# Of so many, one is asked with a number for each text.
TEXTS = 5
# Of so many, one is asked with a field nobody knows.
FIELDS = 5
# Of so many paths, one is asked by a method that means nothing there.
PATHS = 3
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class Request:
    """What is asked."""

    about: str
    method: str
    path: str
    body: bytes | None = None
    headers: dict = field(default_factory=dict)
    # The name of Envoy's port.
    port: str = "strict"

    def __str__(self):
        body = "" if self.body is None else f" {self.body[:200]!r}"
        return f"{self.about}: {self.method} {self.path}{body} {self.headers or ''}".rstrip()


def sent(about, method, path, body, **headers):
    """A request with a body of JSON, which may be text that is none."""
    if body is not None and not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(about, method, path, body, {**JSON, **told})


class Contract:
    """An rpc that a rule leads to."""

    def __init__(self, method, messages, enums):
        rule = method.options.Extensions[annotations_pb2.http]
        pattern = rule.WhichOneof("pattern")
        self.name, self.messages, self.enums = method.name, messages, enums
        self.verb, self.template, self.has_body = pattern.upper(), getattr(rule, pattern), bool(rule.body)
        self.input = messages[method.input_type]
        self.headers = SOON if method.server_streaming or method.name in WAITING else {}

    def values(self, one):
        """A value that fits a field, and one that does not."""
        if one.type == Field.TYPE_ENUM:
            fits, wrong = self.enums[one.type_name].value[-1].name, "NOBODY_KNOWS"
        else:
            fits, wrong = VALUES.get(one.type_name) or VALUES[one.type]
        return ([fits] if one.label == Field.LABEL_REPEATED else fits), wrong

    def at(self, path):
        message, parts = self.input, path.split(".")
        for part in parts[:-1]:
            message = self.messages[next(one.type_name for one in message.field if one.name == part)]
        return next(one for one in message.field if one.name == parts[-1])

    def path(self):
        """The path, with a value that fits for every variable."""

        def value(found):
            fits = self.values(self.at(found[1]))[0]
            return NOBODY if found[1].endswith("_id") else str(fits)

        return re.sub(r"\{([^}=]+)(?:=\*\*)?\}", value, self.template)

    def variables(self):
        return set(re.findall(r"\{([^}=.]+)", self.template))

    def ask(self, about, body=None, query="", method=None, path=None):
        has_body = self.has_body and method != "GET"
        body = json.dumps(body).encode() if body is not None else b"{}" if has_body else None
        headers = {**self.headers, **(JSON if body is not None else {})}
        return Request(f"{self.name}, {about}", method or self.verb, (path or self.path()) + query, body, headers)

    def requests(self, number):
        yield self.ask("nothing but its path")
        yield self.ask("a query parameter nobody knows", query="?nobodyKnows=1")
        if number % SLASHES == 0:
            yield self.ask("with a slash at its end", path=self.path() + "/")
        keyed = any(one.name == "request_id" for one in self.input.field)
        if self.has_body and number % FIELDS == 0:
            yield self.ask("a field nobody knows", {"nobodyKnows": 1})
        for one in self.input.field:
            if one.name in self.variables() or one.name == "request_id":
                continue
            for about, value in zip(("fits", "does not fit"), self.values(one), strict=True):
                # Of a text, many are alike, and in a query every one fits.
                if one.type == Field.TYPE_STRING and about != "fits" and (number % TEXTS or not self.has_body):
                    continue
                if self.has_body:
                    key = {"requestId": f"{number}-{one.name}-{about}"} if keyed else {}
                    yield self.ask(f"{one.name} {about}", {**key, one.json_name: value})
                else:
                    value = value[0] if isinstance(value, list) else value
                    yield self.ask(f"{one.name} {about}", query=f"?{one.json_name}={text(value)}")


def text(value):
    return quote(str(value).lower() if isinstance(value, bool) else str(value), safe="")


def named(package, messages):
    for message in messages:
        name = f"{package}.{message.name}"
        yield name, message
        yield from named(name, message.nested_type)


def contracts(descriptors):
    files = descriptors.file
    messages = dict(itertools.chain.from_iterable(named(f".{file.package}", file.message_type) for file in files))
    enums = {f".{file.package}.{enum.name}": enum for file in files for enum in file.enum_type}
    return [
        Contract(method, messages, enums)
        for file in files
        for service in file.service
        for method in service.method
        if method.options.HasExtension(annotations_pb2.http)
    ]


def other_methods(found):
    """Of some paths, a method that means nothing there."""
    methods = {}
    for one in found:
        shape = re.sub(r"\{[^}]*\}", "{}", one.template)
        methods.setdefault(shape, (one, set()))[1].add(one.verb)
    for one, known in itertools.islice(methods.values(), None, None, PATHS):
        other = next(method for method in METHODS if method not in known)
        yield one.ask(f"as {other}", method=other)


def generated(descriptors):
    """Of every rpc: nothing, a parameter nobody knows, and of each field a value that fits and one that does not."""
    found = contracts(descriptors)
    for number, one in enumerate(found):
        yield from one.requests(number)
    yield from other_methods(found)
