# What a drain was told holds across kill -9: format, filter, CA and client
# certificate; its URL is the same; its key is seen nowhere but in the store.

import json
import ssl

from lib import address, receivers, syslog, tools


def fingerprint(file):
    said = tools.run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", file).stdout
    return said.decode().strip().split("=")[1].replace(":", "").lower()


def test_all_options_hold_after_a_kill(gateway, receiver, ca):
    host = address.fresh()
    pair, client = ca.issue(ips=[host]), ca.issue(names=["gateway.example.com"])
    context = receivers.tls_context(pair)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    key = client.key.read_text()
    gw = gateway(env={"TZ": "UTC0"})
    url = gw.add_drain("shop", sink, protocol="tls", framing="lf", format="rfc3164",
                       min_severity="notice", match=["line", "Linie"], exclude=["7"], rate=1000,
                       ca=ca.file.read_text(), client_cert=client.cert.read_text(),
                       client_key=key)
    lines = syslog.numbered("shop", 10, pri=13)

    gw.send(lines + syslog.numbered("shop", 10, pri=14))
    first = sink.wait(9)
    gw.kill()
    gw.start()
    assert [d["url"] for d in gw.drains("shop")] == [url]
    gw.send(syslog.numbered("shop", 10, pri=14) + lines)
    assert sink.wait(18)[9:] == first
    assert first == [b"<13>May 14 09:12:44 web-1 shop[web-1]: line %d" % i
                     for i in range(10) if i != 7]

    shown = gw.log_text() + json.dumps([gw.drains("shop"), gw.status("shop"),
                                        gw.request("GET", gw.path("shop") + "?redact=true")[1]])
    assert key.splitlines()[1] not in shown and "PRIVATE" not in shown
    gw.remove_drain("shop", url)
    assert gw.drains("shop") == []


def test_the_url_has_the_fingerprint_that_openssl_prints(gateway, ca):
    client = ca.issue(names=["gateway.example.com"])
    gw = gateway()
    url = gw.add_drain("shop", type="papertrail", host="h", port="1", ca=ca.file.read_text(),
                       client_cert=client.cert.read_text(), client_key=client.key.read_text())
    assert url == (f"tcp+tls://h:1?ca=sha256:{fingerprint(ca.file)}"
                   f"&client_cert=sha256:{fingerprint(client.cert)}")
