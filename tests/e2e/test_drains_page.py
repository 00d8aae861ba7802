# GET /v1/drains: all drains of all apps, page by page, while drains come and go;
# by state, app and type.

import random
import threading

import pytest

from lib import receivers, syslog


def page(gw, query=""):
    status, body, _ = gw.request("GET", "/v1/drains" + query)
    assert status == 200, (status, body)
    assert list(body) == ["drains", "next", "total", "states"]
    ids = [int(d["id"]) for d in body["drains"]]
    assert ids == sorted(set(ids))
    return body


def walk(gw, query=""):
    """All pages, one after the other."""
    seen, after = [], "0"
    while after is not None:
        body = page(gw, f"?after={after}{query}")
        seen += body["drains"]
        assert body["next"] is None or body["next"] == body["drains"][-1]["id"]
        after = body["next"]
    return seen


def test_what_it_tells_of_each(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink, token="very-secret", protocol="tcp")
    gw.add_drain("other", type="logentries", token="very-secret")
    gw.send(syslog.numbered("shop", 10))
    gw.wait_delivered("shop", url, 10)
    body = page(gw)
    first = body["drains"][0]
    status = gw.status("shop", url)
    assert list(first) == ["id", "app_id", "app", *[k for k in status if k != "app_id"]]
    assert {k: first[k] for k in status if k != "url"} == \
        {k: v for k, v in status.items() if k != "url"}
    assert first["app"] == "shop" and "very-secret" not in str(body) and "***" in first["url"]
    assert page(gw, "?redact=false")["drains"][0]["url"] == url
    assert body["next"] is None and body["total"] == 2
    assert body["states"] == {"idle": 1, "connected": 1, "retrying": 0, "blocked": 0}


def test_filters(gateway, receiver):
    gw, sink = gateway(workers=3), receiver()
    host, port = receivers.refused()
    gw.add_drain("shop", sink)
    broken = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.add_drain("a,b", type="logentries", token="k1")
    gw.add_drain("other", type="papertrail", host=host, port="1")
    gw.send(syslog.numbered("shop", 1))
    gw.wait_status("shop", broken, lambda s: s["state"] == "retrying", "retrying")
    sink.wait(1)

    def ids(query):
        body = page(gw, query)
        assert body["total"] == len(body["drains"])
        return [int(d["id"]) for d in body["drains"]]

    assert ids("") == [1, 2, 3, 4]
    assert ids("?state=retrying") == [2]
    assert ids("?state=idle,connected") == [1, 3, 4]
    assert ids("?app=shop") == [1, 2]
    assert ids("?app=shop&app=a%2Cb") == [1, 2, 3]
    assert ids("?type=logentries,papertrail") == [3, 4]
    assert ids("?type=syslog&state=connected&app=other,shop") == [1]
    assert page(gw, "?app=shop&state=idle")["states"] == \
        {"idle": 0, "connected": 1, "retrying": 1, "blocked": 0}
    for query, key in (("?state=up", "state"), ("?type=pigeon", "type"), ("?app=ghost", "app"),
                       ("?per_page=0", "per_page"), ("?after=x", "after")):
        status, body, _ = gw.request("GET", "/v1/drains" + query)
        assert status == 422 and list(body["errors"]) == [key] and body["errors"][key]


@pytest.mark.threaded
def test_pages_while_drains_come_and_go(gateway):
    gw = gateway(workers=2)
    host, port = receivers.refused()
    staying = {gw.add_drain(f"app-{i % 40}", type="syslog", host=host, port=str(i + 1))
               for i in range(120)}
    stop = threading.Event()
    failures, churned = [], []

    def churn():
        rnd = random.Random(1)
        mine = []
        try:
            while not stop.is_set():
                app = f"app-{rnd.randrange(60)}"
                if mine and rnd.random() < 0.5:
                    gw.remove_drain(*mine.pop(rnd.randrange(len(mine))))
                else:
                    mine.append((app, gw.add_drain(app, type="logentries",
                                                   token=f"token-{len(churned)}")))
                churned.append(app)
        except AssertionError as e:
            failures.append(e)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(8):
            seen = walk(gw, "&per_page=7")
            ids = [d["id"] for d in seen]
            assert len(ids) == len(set(ids))
            assert staying <= {d["url"] for d in seen}
    finally:
        stop.set()
        thread.join(60)
    assert not failures and len(churned) > 20
    left = walk(gw)
    assert page(gw, "?per_page=1")["total"] == len(left)
    assert [d["url"] for d in walk(gw, "&type=syslog&per_page=50")] == \
        [d["url"] for d in left if d["type"] == "syslog"]


def test_an_app_with_a_thousand_drains(gateway, receiver):
    gw, sink = gateway(), receiver()
    for i in range(1000):
        gw.add_drain("shop", type="syslog", host=sink.host, port=str(i + 1))
    body = page(gw, "?per_page=1000")
    assert len(body["drains"]) == 1000 and body["next"] is None
    assert [d["url"] for d in body["drains"]] == [d["url"] for d in gw.status("shop")]
    assert len(walk(gw, "&app=shop&per_page=300")) == 1000
