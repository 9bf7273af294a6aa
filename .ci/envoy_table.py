"""By hand: what HTTP, paths, queries and JSON leave open, asked of calls that would work."""

import http.client
import itertools
import json
import time
import tomllib
from pathlib import Path

from envoy_requests import JSON, NOBODY, SOON, Request, sent

PATIENCE_SECONDS = 30
TABLE = tomllib.loads(Path(__file__).with_name("envoy_values.toml").read_text())
JSON_VALUES = TABLE["json"]
# A complaint, each field as JSON.
COMPLAINT = {
    "channel": '"CHANNEL_WEB"',
    "subject": '"The kettle burnt my hand"',
    "description": '"It came in pieces, and one of them is hot."',
    "language": '"en"',
    "consentGiven": "true",
    "complainant": '{"customerId":"C-9"}',
}


class Scene:
    """What the table asks about: a department, an agent and a complaint's case."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
        self.numbers = itertools.count()
        department = {"departmentId": "care", "displayName": "Care", "categories": ["*"]}
        self.post("/v1/departments", {"department": department})
        agent = {"agentId": "carol.x", "departmentId": "care", "displayName": "Carol", "capacity": 5}
        tree = [{"path": path, "title": path} for path in ("goods", "goods/damaged")]
        self.post("/v1/categories:import", {"categories": tree})
        self.post("/v1/agents", {"agent": {**agent, "available": True}})
        complaint = {name: json.loads(value) for name, value in COMPLAINT.items()}
        self.case = self.post("/v1/complaints", {"complaint": complaint})["complaintId"]
        end = time.monotonic() + PATIENCE_SECONDS
        while self.ask("GET", f"/v1/cases/{self.case}")[0] == 404:
            assert time.monotonic() < end, "the case is never opened"
            time.sleep(0.05)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def post(self, path, body):
        status, text = self.ask("POST", path, json.dumps(body), {**JSON, "Idempotency-Key": self.key()})
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)

    def key(self):
        return f"table-{next(self.numbers)}"

    def submit(self, **fields):
        """A complaint with other fields, each as JSON; without those that are None."""
        members = {**COMPLAINT, **fields}
        complaint = ",".join(f'"{name}":{value}' for name, value in members.items() if value is not None)
        body = f'{{"requestId":"{self.key()}","complaint":{{{complaint}}}}}'
        return sent(f"a complaint, {fields}", "POST", "/v1/complaints", body)

    def text(self, complaint):
        """A complaint whose whole text is given."""
        body = complaint.replace("KEY", f'"requestId":"{self.key()}"').replace("SUBJECT", COMPLAINT["subject"])
        others = ",".join(f'"{name}":{value}' for name, value in COMPLAINT.items() if name != "subject")
        return sent("a complaint's text", "POST", "/v1/complaints", body.replace("OTHERS", others))


def get(path, about="a read", **headers):
    return Request(about, "GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})


def values(scene):
    """What a value may be written as."""
    for name, texts_ in TABLE["complaint"].items():
        for text in texts_:
            yield scene.submit(**{name: text})
    for time_ in JSON_VALUES["times"]:
        yield scene.submit(occurTime=time_)
    for units in JSON_VALUES["units"]:
        amount = f'{{"currencyCode":"EUR","units":{units},"nanos":500000000}}'
        yield scene.submit(remedySought=f'{{"text":"money","amount":{amount}}}')
    for length in JSON_VALUES["lengths"]:
        remedy = '"title":"Voucher","departmentId":"care"'
        body = f'{{"requestId":"{scene.key()}","remedyType":{{{remedy},"attemptDuration":{length}}}}}'
        yield sent("a remedy type", "PUT", "/v1/remedyTypes/voucher", body)
    for number in JSON_VALUES["numbers"]:
        settings = f'{{"note":"x","falseAlarmsPerYear":{number}}}'
        body = f'{{"requestId":"{scene.key()}","settings":{settings}}}'
        yield sent("settings of signals", "PATCH", "/v1/signalSettings", body)
    for data in JSON_VALUES["bytes"]:
        body = f'{{"requestId":"{scene.key()}","recipient":"wei@example.com","message":{data}}}'
        yield sent("a bounce", "POST", "/v1/notices:reportBounce", body)


def texts(scene):
    """JSON that is none, or nearly none."""
    for text in JSON_VALUES["none"]:
        yield sent("no complaint", "POST", "/v1/complaints", text)
    yield sent("no UTF-8", "POST", "/v1/complaints", b'{"requestId":"\xff"}')
    yield sent("no UTF-8 in a name", "POST", "/v1/complaints", b'{"\xff":"a"}')
    yield sent("UTF-16", "POST", "/v1/complaints", '{"requestId":"a"}'.encode("utf-16"))
    yield sent("deep", "POST", "/v1/complaints", '{"x":' + "[" * 200 + "]" * 200 + "}")
    for text in JSON_VALUES["texts"]:
        yield scene.text(text)


def queries(scene):
    """What a query may be."""
    for path, written in TABLE["queries"].items():
        for query in written:
            yield get(f"{path}?{query}")
    yield get(f"/v1/cases/{scene.case}?caseId={scene.case}", "a variable in the query too")
    yield get(f"/v1/cases/{scene.case}?caseId={NOBODY}", "a variable, and another in the query")
    yield get(f"/v1/cases/{NOBODY}?case_id={scene.case}", "a variable, and another in the query")
    yield sent("a field of the body in the query", "POST", f"/v1/complaints?requestId={scene.key()}", "{}")
    yield sent("a deep field of the body in the query", "POST", "/v1/complaints?complaint.subject=Kettle", "{}")
    yield get(f"/v1/cases:facet?{'&'.join(['fields=state'] * 251)}", "many parameters")
    yield get(f"/v1/cases?customerId={'x' * 5000}", "a long query")


def paths(scene):
    """What a path may be."""
    for beginning, written in TABLE["paths"].items():
        for end in written:
            yield get(beginning + end.replace("{case}", scene.case))
    case = scene.case
    yield get(f"/v1/cases/{case.replace('-', '%2D')}", "needless escapes")
    yield get(f"/v1/cases/{case.upper()}", "large letters")
    yield get(f"/v1/cases/{'x' * 300}", "a long variable")
    yield get(f"/v1/cases/{'x' * 5000}", "a long path")


def methods(scene):
    """What else there is in HTTP."""
    for method in ["HEAD", "OPTIONS", "TRACE", "PURGE", "get", "PUT", "DELETE", "PATCH"]:
        yield Request("a method", method, f"/v1/cases/{scene.case}")
    yield Request("a method", "HEAD", f"/v1/cases/{NOBODY}")
    yield Request("a read with a body", "GET", "/v1/cases", b"{}", dict(JSON))
    yield Request("a read with a body", "GET", "/v1/cases", b'{"pageSize":1}', dict(JSON))
    yield Request("a read with an empty body", "GET", "/v1/cases", b"", dict(JSON))
    yield Request("a removal with a body", "DELETE", f"/v1/mailboxes/care?requestId={scene.key()}", b"{}", dict(JSON))
    yield Request("a removal", "DELETE", f"/v1/mailboxes/care?requestId={scene.key()}")
    yield Request("a removal", "DELETE", f"/v1/mailboxes/care?requestId={scene.key()}&expectedVersion=3")
    override = {"X-HTTP-Method-Override": "GET"}
    yield Request("another method by a header", "POST", f"/v1/cases/{scene.case}", None, {**JSON, **override})
    yield Request("the path of gRPC", "POST", "/redress.cases.v1.CaseService/CountCases", b"{}", dict(JSON))
    yield Request("the path of gRPC, read", "GET", "/redress.cases.v1.CaseService/CountCases")
    yield Request("the document", "GET", "/openapi.json")


def headers(scene):
    """What headers may say."""
    for kind in [
        None,
        "",
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;charset=latin1",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "application/grpc+json",
        "application/problem+json",
        "*/*",
    ]:
        request = scene.submit()
        told = {} if kind is None else {"Content-Type": kind}
        yield Request(f"a complaint as {kind!r}", "POST", request.path, request.body, told)
    for accept in [
        "application/json",
        "*/*",
        "text/html",
        "application/xml",
        "application/json;q=0",
        "",
        "application/grpc",
    ]:
        yield get(f"/v1/cases/{scene.case}", "a read", accept=accept)
    yield sent("a compressed body", "POST", "/v1/complaints", "{}", content_encoding="gzip")
    for timeout in ["1S", "soon", "1n", "0S", "99999999H", "999999999H"]:
        yield get(f"/v1/cases/{scene.case}", "a read in time", grpc_timeout=timeout)
    for token in ["nobody", "cases:1", "cases:999999999"]:
        yield get(f"/v1/cases/{scene.case}", "a read of a state", redress_consistency_token=token)
    yield get(f"/v1/cases/{scene.case}", "a read by nobody", redress_subject="")
    yield get(f"/v1/cases/{scene.case}", "a read by somebody", redress_subject="bob")
    yield get(f"/v1/cases/{scene.case}", "a read by a token", authorization="Bearer x")
    yield get(f"/v1/cases/{scene.case}", "a read by an origin", origin="https://evil.example")
    complaint = scene.submit()
    body = json.loads(complaint.body)
    key = body.pop("requestId")
    yield sent("a key by its header", "POST", "/v1/complaints", body, idempotency_key=key)
    yield sent("a key by both", "POST", "/v1/complaints", {**body, "requestId": key}, idempotency_key=key)
    yield sent("two keys", "POST", "/v1/complaints", {**body, "requestId": key}, idempotency_key="other")
    yield sent(
        "a key that was used",
        "POST",
        "/v1/complaints",
        {"requestId": key, "complaint": {**body["complaint"], "subject": "Other"}},
    )
    department = {"departmentId": "care", "displayName": "Care", "categories": ["*"]}
    for version in ['"1"', "1", "*", 'W/"1"', "x", '"99"', '"1", "2"']:
        change = {"requestId": scene.key(), "department": department}
        yield sent("a version by its header", "PATCH", "/v1/departments/care", change, if_match=version)
    for change in [
        {"expectedVersion": "99"},
        {"expectedVersion": 99},
        {"expectedVersion": None},
        {"expectedVersion": "x"},
        {},
    ]:
        change = {"requestId": scene.key(), "department": department, **change}
        yield sent("a version", "PATCH", "/v1/departments/care", change)
    for other in ["care", "other", None, ""]:
        change = {"requestId": scene.key(), "department": {**department, "departmentId": other}}
        yield sent("a variable in the body too", "PATCH", "/v1/departments/care", change)
    yield get(f"/v1/cases/{scene.case}", "a version of what has none", if_match='"1"')


def streams(scene):
    """Answers that are streams."""
    for path in [
        f"/v1/cases/{scene.case}:watch",
        f"/v1/cases/{NOBODY}:watch",
        "/v1/cases/nobody:watch",
        "/v1/events:subscribe?source=intake&cursor=0",
        "/v1/events:subscribe?source=nobody",
        "/v1/processLog:export?startDate=2026-01-01&endDate=2026-02-01",
        "/v1/processLog:export",
        "/v1/trainingCases:export",
        f"/v1/attachments/{NOBODY}:download",
        "/v1/events:subscribe?source=intake&types=a&types=b",
        "/v1/events:subscribe?source=intake&lane=nobody",
    ]:
        yield get(path, "a stream", **{name.replace("-", "_"): value for name, value in SOON.items()})
        yield get(path, "a stream of events", grpc_timeout="300m", accept="text/event-stream")
    yield get("/v1/trainingCases:export", "a stream as JSON", accept="application/json")
    yield sent("a stream by POST", "POST", "/v1/attachments:downloadByToken", {"token": "nobody"}, grpc_timeout="300m")
    yield sent(
        "a stream of tasks",
        "POST",
        "/v1/departments/care:streamTasks",
        {"worker": "w", "credits": 1},
        grpc_timeout="300m",
    )
    yield sent(
        "tasks that are waited for",
        "POST",
        "/v1/departments/care:pollTasks",
        {"worker": "w", "maxTasks": 1, "waitDuration": "0.1s"},
    )


def usual(scene):
    """Of Envoy as it is unless told otherwise, by our contracts alone."""
    for request in [
        get(f"/v1/cases/{NOBODY}"),
        get(f"/v1/cases/{scene.case}?nobodyKnows=1"),
        get("/v1/nowhere"),
        get("/v1/cases?pageSize=x"),
        get(f"/v1/cases/{scene.case}"),
        sent("an empty complaint", "POST", "/v1/complaints", {}),
        get("/v1/cases/nobody:watch", grpc_timeout="300m"),
        scene.submit(),
        get(f"/v1/cases/{scene.case}:watch", grpc_timeout="300m"),
        Request("a method", "PUT", "/v1/cases"),
    ]:
        request.port = "usual"
        yield request


def everything(address):
    scene = Scene(address)
    for part in (values, texts, queries, paths, methods, headers, streams, usual):
        yield from part(scene)
