# A tail through an https admin listener: every line arrives in order, and a
# removed app ends it as it should.

import subprocess

from lib import syslog, wait


def test_lines_come_through_tls(gateway, ca):
    pair = ca.issue(ips=["127.0.0.1"])
    gw = gateway(admin=["http://127.0.0.1:0", "https://127.0.0.1:0"], tls_cert=pair.cert,
                 tls_key=pair.key)
    assert gw.request("POST", "/v1/apps", {"app": {"name": "shop"}})[0] == 201
    address = gw.find_log(msg="admin API listening")[1]["address"]
    out = gw.dir / "tail"
    with open(out, "wb") as f:
        curl = subprocess.Popen(["curl", "-sS", "-N", "--cacert", str(ca.file), "-u", f":{gw.token}",
                                 f"https://{address}/v1/apps/shop/tail"], stdout=f)
    try:
        wait.until(lambda: gw.find_log(msg="tail opened"), "a tail")
        total = 3000
        with gw.connect() as s:
            for at in range(0, total, 100):
                s.sendall(syslog.lf(syslog.numbered("shop", 100, first=at)))
                wait.until(lambda: b"line %d\n" % (at + 99) in out.read_bytes()[-20000:], "the lines")
        assert gw.request("DELETE", "/v1/apps/shop")[0] == 204
        assert curl.wait(wait.PATIENCE) == 0
    finally:
        curl.kill()
        curl.wait()
    lines = out.read_bytes().split(b"\n")[:-1]
    assert lines.pop() == b"-- the app was removed --"
    assert [int(l.rsplit(b" ", 1)[1]) for l in lines] == list(range(total))
