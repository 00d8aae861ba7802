"""What the receivers of HTTP drains document: requests are checked against it, strictly.

A vendor's lines(http, body, wire) returns the entries of a request, or fails; body is
decompressed, wire its size as it came.  accepted: its answer when all is well.
"""

import base64
import collections
import datetime
import json
import re

Entry = collections.namedtuple("Entry", "message fields")

MB = 1000 * 1000


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def _no_duplicates(pairs):
    keys = [k for k, _ in pairs]
    assert len(set(keys)) == len(keys), f"a key twice: {keys}"
    return dict(pairs)


_decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_duplicates)


def strict_json(body):
    """RFC 8259: UTF-8, no constants, no key twice, no lone surrogates, nothing behind it."""
    text = body.decode("utf-8")
    value, end = _decoder.raw_decode(text)
    assert end == len(text), f"behind the JSON: {text[end:end + 80]!r}"
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def sized_elements(body):
    """Each element of a JSON array, and its size in bytes as it was written."""
    assert isinstance(strict_json(body), list)
    text = body.decode("utf-8")
    at = 1
    while text[at] != "]":
        value, end = _decoder.raw_decode(text, at)
        yield value, len(text[at:end].encode("utf-8"))
        at = end + (text[end] == ",")


def rfc3339(text):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", text), text
    text = re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text)


def age(text):
    """Seconds since an RFC 3339 time."""
    return (datetime.datetime.now(datetime.timezone.utc) - rfc3339(text)).total_seconds()


def basic(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


class Datadog:
    """docs.datadoghq.com/api/latest/logs: Send logs (v2)."""

    accepted = (202, b"{}")
    # Reserved attributes and those of our own that are strings; others may be anything.
    TEXTS = {"message", "service", "hostname", "ddsource", "ddtags", "status", "timestamp",
             "original_timestamp"}
    STATUS = {"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
              "emerg", "warn", "ok"}

    def __init__(self, token):
        self.token = token

    def lines(self, http, body, wire):
        assert (http.method, http.path) == ("POST", "/api/v2/logs"), (http.method, http.path)
        assert http.headers["DD-API-KEY"] == self.token
        assert http.headers["Content-Type"] == "application/json"
        assert len(body) <= 5 * MB, f"{len(body)} bytes"
        found = []
        for entry, size in sized_elements(body):
            assert size <= MB, f"an entry of {size} bytes"
            assert "message" in entry, entry.keys()
            assert all(isinstance(v, str) for k, v in entry.items() if k in self.TEXTS), entry
            assert entry["status"] in self.STATUS and entry["ddsource"] == "syslog"
            assert all(re.fullmatch(r"[^:,]+:[^,]+", t)
                       for t in entry.get("ddtags", "a:b").split(",")), entry
            if "timestamp" in entry:
                assert age(entry["timestamp"]) < 18 * 3600, entry["timestamp"]
            found.append(Entry(entry["message"], entry))
        assert 1 <= len(found) <= 1000, f"{len(found)} entries"
        return found


class LogstashLine:
    """The platform's way to Logstash's http input: one request a line, its body the message.

    query: what the drain's URL has of its own; user: "NAME:PASSWORD" of its user info.
    """

    accepted = (200, b"ok")

    def __init__(self, path="/", query=None, user=None):
        self.path = path
        self.query = query or {}
        self.user = user

    def common(self, http, wire):
        assert http.method == "POST" and http.path == self.path, (http.method, http.path)
        assert http.headers.get("Authorization") == (basic(self.user) if self.user else None)
        assert wire <= 100 * (1 << 20)  # max_content_length

    def lines(self, http, body, wire):
        self.common(http, wire)
        assert http.headers["Content-Type"] == "plain/text"
        query = dict(http.query)
        assert len(query) == len(http.query), "a parameter twice"
        fields = {k: query.pop(k) for k in ("appname", "hostname")}
        assert query == self.query, query
        return [Entry(body.decode("utf-8", "surrogateescape"), fields)]


class LogstashJson(LogstashLine):
    """Logstash's http input with its json codec (an event for each element) or json_lines."""

    KEYS = {"@timestamp", "message", "host", "app", "proc", "severity", "facility"}

    def __init__(self, *args, ndjson=False, **more):
        super().__init__(*args, **more)
        self.ndjson = ndjson

    def lines(self, http, body, wire):
        self.common(http, wire)
        assert dict(http.query) == self.query
        if self.ndjson:
            assert http.headers["Content-Type"] == "application/x-ndjson"
            assert body.endswith(b"\n")
            documents = [strict_json(l) for l in body.split(b"\n")[:-1]]
        else:
            assert http.headers["Content-Type"] == "application/json"
            documents = strict_json(body)
        assert isinstance(documents, list) and documents
        for document in documents:
            assert self.KEYS - {"proc", "@timestamp"} <= set(document), document.keys()
            rfc3339(document.get("@timestamp", "1970-01-01T00:00:00Z"))
            assert isinstance(document["message"], str)
        return [Entry(d["message"], d) for d in documents]


def octet_counted(body):
    """The frames of a body (RFC 6587, section 3.4.1)."""
    at = 0
    while at < len(body):
        count = re.compile(rb"([1-9]\d*) ").match(body, at)
        assert count, f"no count: {body[at:at + 80]!r}"
        at = count.end() + int(count.group(1))
        assert at <= len(body), "a count that is too large"
        yield body[count.end():at]


class Logplex:
    """devcenter.heroku.com/articles/log-drains: HTTPS drains.  path None: any."""

    accepted = (200, b"")
    LINE = re.compile(rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (.*)", re.DOTALL)

    def __init__(self, path="/", user=None):
        self.path = path
        self.user = user

    def lines(self, http, body, wire):
        assert http.method == "POST" and self.path in (http.path, None), http.method
        assert http.headers.get("Authorization") == (basic(self.user) if self.user else None)
        assert http.headers["Content-Type"] == "application/logplex-1"
        assert http.headers["Logplex-Frame-Id"] and http.headers["Logplex-Drain-Token"]
        found = []
        for frame in octet_counted(body):
            line = self.LINE.fullmatch(frame)
            assert line, f"no line: {frame[:200]!r}"
            pri, stamp, host, app, proc, msgid, message = line.groups()
            assert not message.startswith((b"- ", b"[")), f"structured data: {message[:80]!r}"
            found.append(Entry(message.decode("utf-8", "surrogateescape").rstrip("\n"),
                               {"pri": int(pri), "stamp": stamp, "host": host, "app": app,
                                "proc": proc, "msgid": msgid}))
        assert int(http.headers["Logplex-Msg-Count"]) == len(found) > 0
        return found


class Logtail:
    """betterstack.com/docs/logs/ingesting-data/http/logs."""

    accepted = (202, b"")

    def __init__(self, token):
        self.token = token

    def lines(self, http, body, wire):
        assert http.method == "POST" and http.path == "/", (http.method, http.path)
        assert http.headers["Authorization"] == "Bearer " + self.token
        assert http.headers["Content-Type"] == "application/json"
        assert wire <= 10 << 20, f"{wire} bytes"
        documents = strict_json(body)
        assert isinstance(documents, list) and documents
        for document in documents:
            assert isinstance(document["message"], str)
            if "dt" in document:
                rfc3339(document["dt"])
        return [Entry(d["message"], d) for d in documents]


class Otlp:
    """opentelemetry.io/docs/specs/otlp, OTLP/HTTP, JSON: the protobuf mapping with lowerCamelCase
    keys, enums as numbers and 64-bit numbers as strings.
    """

    accepted = (200, b"{}")
    RECORD = {"timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "body",
              "attributes", "droppedAttributesCount", "flags", "traceId", "spanId", "eventName"}

    def __init__(self, path="/v1/logs"):
        self.path = path

    def value(self, value):
        """An AnyValue: one of its kinds."""
        (kind, content), = value.items()
        if kind == "kvlistValue":
            assert list(content) == ["values"], content
            return self.attributes(content["values"])
        if kind == "arrayValue":
            assert list(content) == ["values"], content
            return [self.value(v) for v in content["values"]]
        types = {"stringValue": str, "boolValue": bool, "intValue": str, "doubleValue": float}
        assert type(content) is types[kind], value
        return int(content) if kind == "intValue" else content

    def attributes(self, items):
        found = {}
        for item in items:
            assert set(item) == {"key", "value"} and item["key"] not in found, item
            found[item["key"]] = self.value(item["value"])
        return found

    def record(self, record, resource):
        assert set(record) <= self.RECORD, record.keys()
        for key in ("timeUnixNano", "observedTimeUnixNano"):
            if key in record:
                assert isinstance(record[key], str) and re.fullmatch(r"\d+", record[key]), record
        assert type(record["severityNumber"]) is int and 1 <= record["severityNumber"] <= 24
        assert isinstance(record.get("severityText", ""), str)
        assert list(record["body"]) == ["stringValue"], record["body"]
        return Entry(record["body"]["stringValue"],
                     {**record, "resource": resource,
                      "attributes": self.attributes(record.get("attributes", []))})

    def lines(self, http, body, wire):
        assert (http.method, http.path) == ("POST", self.path), (http.method, http.path)
        assert http.headers["Content-Type"] == "application/json"
        document = strict_json(body)
        assert set(document) == {"resourceLogs"}, document.keys()
        found = []
        for group in document["resourceLogs"]:
            assert set(group) <= {"resource", "scopeLogs", "schemaUrl"}, group.keys()
            resource = self.attributes(group.get("resource", {}).get("attributes", []))
            for scope in group["scopeLogs"]:
                assert set(scope) <= {"scope", "logRecords", "schemaUrl"}, scope.keys()
                assert set(scope.get("scope", {})) <= {"name", "version", "attributes"}
                found += [self.record(r, resource) for r in scope["logRecords"]]
        assert found, "no records"
        return found


def gelf(frame):
    """go2docs.graylog.org: GELF 1.1, as the Graylog server takes it."""
    message = strict_json(frame)
    assert message["version"] == "1.1", message
    for key in ("host", "short_message"):
        assert isinstance(message[key], str) and message[key], message
    for key, value in message.items():
        if key == "timestamp":
            assert type(value) in (int, float), message
        elif key == "level":
            assert type(value) is int and 0 <= value <= 7, message
        elif key not in ("version", "host", "short_message", "full_message"):
            assert re.fullmatch(r"_[\w.-]+", key) and key != "_id", key
            assert type(value) in (str, int, float), (key, value)
    return message
