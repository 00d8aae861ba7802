# Requests that are wrong get the status and the JSON that the API's page
# promises, and change nothing.

import json

import pytest

from lib import syslog, tools, wait

PATH = "/v1/apps/shop/log_drains"
GOOD = {"drain": {"type": "syslog", "host": "h", "port": "514"}}


def changed(**params):
    drain = {**GOOD["drain"], **params}
    return {"drain": {k: v for k, v in drain.items() if v is not ...}}


@pytest.fixture
def gw(gateway):
    return gateway()


def post(gw, body, path=PATH, **more):
    status, answer, headers = gw.request("POST", path, body, **more)
    assert headers["Content-Type"] == "application/json"
    return status, answer


def test_malformed_bodies_are_400(gw):
    for body in (b"", b"{", b"nonsense", b"[]", b'"text"', b'{"drain":{}} more', b"\xff\xfe",
                 b'{"drain":{"type":"syslog","type":"elk"}}', b"[" * 5000, b"null", b'{"drain":[]}',
                 b'{"drain":"x"}', b"{}"):
        status, answer = post(gw, body)
        assert status == 400 and list(answer) == ["error"], (body[:50], status, answer)
    assert gw.request("GET", PATH)[0] == 404


@pytest.mark.parametrize("kind", [..., "", None, 7])
def test_a_missing_type_is_400(gw, kind):
    assert post(gw, changed(type=kind)) == (400, {"error": "'type' parameter is required"})


@pytest.mark.parametrize("params, key", [
    ({"type": "carrier-pigeon"}, "type"),
    ({"host": ...}, "host"),
    ({"host": ""}, "host"),
    ({"host": "two words"}, "host"),
    ({"host": "a\nb"}, "host"),
    ({"host": ["h"]}, "host"),
    ({"port": ...}, "port"),
    ({"port": "0"}, "port"),
    ({"port": "65536"}, "port"),
    ({"port": "+514"}, "port"),
    ({"port": "514 "}, "port"),
    ({"port": "http"}, "port"),
    ({"port": 514.5}, "port"),
    ({"port": -1}, "port"),
    ({"colour": "red"}, "colour"),
    ({"drain_region": "eu"}, "drain_region"),
    ({"url": "http://h"}, "url"),
    ({"protocol": "sctp"}, "protocol"),
    ({"framing": "morse"}, "framing"),
    ({"replaces": "syslog://h:1"}, "replaces"),
    ({"type": "elk", "host": ..., "port": ..., "url": "ftp://h"}, "url"),
    ({"type": "datadog", "host": ..., "port": ..., "token": "T", "drain_region": "moon"},
     "drain_region"),
])
def test_parameters_that_do_not_fit_are_422_and_named(gw, params, key):
    status, answer = post(gw, changed(**params))
    assert status == 422
    assert list(answer) == ["errors"] and list(answer["errors"]) == [key], answer
    assert answer["errors"][key] and all(answer["errors"][key])
    # A refused request made no app.
    assert gw.request("GET", PATH)[:2] == (404, {"resource": "app", "error": "not found"})


def test_the_same_drain_twice_is_422(gw):
    assert post(gw, GOOD)[0] == 201
    assert post(gw, changed(host="H")) == (422, {"errors": {"url": ["already exists"]}})
    assert post(gw, GOOD, path="/v1/apps/blog/log_drains")[0] == 201
    assert len(gw.drains("shop")) == 1


def test_unknown_things_are_404(gw):
    not_found = (404, {"resource": "app", "error": "not found"})
    assert gw.request("GET", PATH)[:2] == not_found
    assert gw.request("DELETE", PATH + "?url=x")[:2] == not_found
    assert post(gw, GOOD, path="/v1/apps/5af97be7ff688d0001228ffb/log_drains") == not_found
    assert gw.request("GET", "/v1/nonsense")[:2] == (404, {"error": "not found"})
    assert gw.request("GET", "/")[:2] == (404, {"error": "not found"})
    post(gw, GOOD)
    assert gw.request("DELETE", PATH + "?url=syslog://h:515")[:2] == \
        (404, {"resource": "log_drain", "error": "not found"})
    assert gw.request("DELETE", PATH)[0] == 400
    assert gw.request("GET", "/v1/apps/shop/addons/a/log_drains")[:2] == \
        (404, {"resource": "addon", "error": "not found"})


def test_an_impossible_app_name_is_400(gw):
    for name in ("two%20words", "x" * 49, "%C3%BC"):
        assert post(gw, GOOD, path=f"/v1/apps/{name}/log_drains")[0] == 400, name


def test_no_or_a_wrong_token_is_401(gw):
    for token in (None, "wrong", gw.token[:-1], gw.token + "0", ""):
        status, answer, headers = gw.request("GET", PATH, token=token)
        assert status == 401 and list(answer) == ["error"], token
        assert "Basic" in headers["WWW-Authenticate"]
    assert gw.request("GET", PATH)[0] == 404


def test_many_wrong_tokens_are_429_and_the_right_one_passes(gw):
    for _ in range(10):
        assert gw.request("GET", PATH, token="wrong")[0] == 401
    status, answer, headers = gw.request("GET", PATH, token="wrong")
    assert status == 429 and int(headers["Retry-After"]) >= 1
    assert gw.request("GET", PATH)[0] == 404


def test_healthz_needs_no_token(gw):
    assert tools.curl(f"http://{gw.admin_address}/healthz") == \
        (200, "application/json", '{"status":"ok"}')


def test_another_method_is_405_and_says_which(gw):
    for method in ("PUT", "PATCH"):
        status, answer, headers = gw.request(method, PATH, GOOD)
        assert status == 405 and list(answer) == ["error"]
        assert {m.strip() for m in headers["Allow"].split(",")} >= {"GET", "POST", "DELETE"}


def test_head_has_no_body(gw):
    post(gw, GOOD)
    status, body, headers = gw.request("HEAD", PATH)
    assert (status, body, headers["Content-Type"]) == (200, b"", "application/json")


def test_too_large_is_413_and_431_and_414(gw):
    assert post(gw, b" " * (1 << 20) + b"{}")[0] == 413
    assert gw.request("GET", PATH, headers={"X": "y" * 20000})[0] == 431
    assert gw.request("GET", PATH + "?" + "q" * 9000)[0] == 414
    assert gw.request("GET", PATH)[0] == 404


def test_another_content_type_is_415(gw):
    assert post(gw, json.dumps(GOOD), headers={"Content-Type": "text/plain"})[0] == 415


def test_declared_apps_are_made_first(gateway):
    gw = gateway(apps="declared")
    assert post(gw, GOOD)[0] == 404
    assert post(gw, {"app": {"name": "shop"}}, path="/v1/apps")[0] == 201
    assert post(gw, GOOD)[0] == 201
    assert gw.request("DELETE", "/v1/apps/shop")[0] == 204
    assert gw.request("GET", PATH)[0] == 404


def test_bad_requests_disturb_no_lines(gw, receiver):
    sink = receiver()
    gw.add_drain("shop", sink)
    lines = syslog.numbered("shop", 200)
    with gw.connect() as s:
        for i, line in enumerate(lines):
            s.sendall(syslog.lf([line]))
            if i % 20 == 0:
                post(gw, b"{")
    assert sink.wait(200) == lines
    wait.until(lambda: gw.status("shop")[0]["delivered"]["lines"] == 200, "200 lines delivered")
