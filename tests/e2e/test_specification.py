# The requests of the log_drains specification, as curl sends them, get its
# answers: status, content type and body, byte for byte.

import re

import pytest

from lib import tools

ACCEPT = ("-H", "Accept: application/json", "-H", "Content-Type: application/json")
PATH = "/v1/apps/example-app/log_drains"

OVH = """{
    "drain": {
        "type": "ovh-graylog",
        "token": "5af97be7-34e5-47b6-a016-8d0001228ffb",
        "host": "tag1.logs.ovh.com"
    }
  }"""
OVH_URL = "ovh://:5af97be7-34e5-47b6-a016-8d0001228ffb@tag1.logs.ovh.com:6514"

DATADOG = """{
    "drain": {
        "type": "datadog",
        "token": "5af97be7-34e5-47b6-a016-8d0001228ffb",
        "drain_region": "eu-west-2"
    }
  }"""
DATADOG_URL = "datadog://5af97be7-34e5-47b6-a016-8d0001228ffb?region=eu-west-2"

JSON = "application/json"


def scenario(curl):
    """curl(*args) with token and address filled in."""
    assert curl("GET", PATH)[0] == 404

    status, kind, body = curl("POST", PATH, "-d", OVH)
    assert (status, kind) == (201, JSON)
    assert body == f'{{"drain":{{"url":"{OVH_URL}"}}}}'

    status, kind, body = curl("GET", PATH)
    assert (status, kind) == (200, JSON)
    app_id = re.fullmatch(r'\[\{"app_id":"([0-9a-f]{24})","url":"(.*)"\}\]', body)
    assert app_id and app_id.group(2) == OVH_URL

    status, kind, body = curl("POST", PATH, "-d", DATADOG)
    assert (status, kind) == (201, JSON)
    assert body == f'{{"drain":{{"url":"{DATADOG_URL}"}}}}'

    # In the order of adding, under the same id.
    status, _, body = curl("GET", PATH)
    item = '{"app_id":"' + app_id.group(1) + '","url":"%s"}'
    assert (status, body) == (200, f"[{item % OVH_URL},{item % DATADOG_URL}]")

    status, kind, body = curl("DELETE", PATH, "-G", "--data-urlencode", f"url={OVH_URL}")
    assert (status, body) == (204, "")
    status, kind, body = curl("DELETE", PATH, "-d", f'{{"url":"{DATADOG_URL}"}}')
    assert (status, body) == (204, "")
    assert curl("GET", PATH)[::2] == (200, "[]")


def test_http(gateway):
    gw = gateway()
    scenario(lambda method, path, *more: tools.curl(
        *ACCEPT, "-u", f":{gw.token}", "-X", method, f"http://{gw.admin_address}{path}", *more))


def test_https(gateway, ca):
    pair = ca.issue(ips=["127.0.0.1"])
    gw = gateway(admin=["https://127.0.0.1:0", "http://127.0.0.1:0"], tls_cert=pair.cert,
                 tls_key=pair.key)
    https = gw.find_log(msg="admin API listening")[0]["address"]
    scenario(lambda method, path, *more: tools.curl(
        *ACCEPT, "--cacert", ca.file, "-u", f":{gw.token}", "-X", method, f"https://{https}{path}",
        *more))


def test_unix_socket(gateway, tmp_path):
    path = tmp_path / "admin.sock"
    gw = gateway(admin=[f"unix://{path}"])
    assert path.stat().st_mode & 0o777 == 0o600
    scenario(lambda method, url, *more: tools.curl(
        *ACCEPT, "--unix-socket", path, "-u", f":{gw.token}", "-X", method,
        f"http://localhost{url}", *more))


def test_without_options_of_the_specification(gateway):
    """curl says that it sends a form unless told otherwise; a Bearer token gets an object."""
    gw = gateway()
    url = f"http://{gw.admin_address}{PATH}"
    assert tools.curl("-u", f":{gw.token}", url, "-d", OVH)[0] == 201
    status, _, body = tools.curl("-H", f"Authorization: Bearer {gw.token}", url)
    assert (status, body[:12]) == (200, '{"drains":[{')


@pytest.mark.parametrize("params, url", [
    ({"type": "datadog", "token": "T", "drain_region": "us3"}, "datadog://T?region=us3"),
    ({"type": "datadog", "token": "T", "drain-region": "eu"}, "datadog://T?region=eu"),
    ({"type": "ovh-graylog", "token": "T", "host": "h.example.com", "port": "12201"},
     "ovh://:T@h.example.com:12201"),
    ({"type": "logentries", "token": "T"}, "logentries://T"),
    ({"type": "logentries", "token": "T", "drain_region": "eu"}, "logentries://T?region=eu"),
    ({"type": "papertrail", "host": "logs5.papertrailapp.com", "port": "12345"},
     "tcp+tls://logs5.papertrailapp.com:12345"),
    ({"type": "syslog", "host": "custom.logs.com", "port": "514"}, "syslog://custom.logs.com:514"),
    ({"type": "syslog", "host": "custom.logs.com", "port": 514}, "syslog://custom.logs.com:514"),
    ({"type": "syslog", "host": "CUSTOM.logs.com", "port": "514", "token": "a/b c"},
     "syslog://:a%2Fb%20c@custom.logs.com:514"),
    ({"type": "syslog", "host": "2001:DB8::1", "port": "514"}, "syslog://[2001:db8::1]:514"),
    ({"type": "syslog", "host": "udp://h", "port": "514"}, "syslog://h:514?protocol=udp"),
    ({"type": "elk", "url": "https://u:p@elk.example.com:8080/in"},
     "https://u:p@elk.example.com:8080/in"),
    # The clients always send all keys.
    ({"type": "syslog", "host": "h", "port": "1", "token": "", "drain_region": "", "url": ""},
     "syslog://h:1"),
])
def test_all_types_are_accepted_and_rendered(gateway, params, url):
    gw = gateway()
    status, body, headers = gw.request("POST", PATH, {"drain": params})
    assert (status, body, headers["Content-Type"]) == (201, {"drain": {"url": url}}, JSON)
    assert [d["url"] for d in gw.drains("example-app")] == [url]
