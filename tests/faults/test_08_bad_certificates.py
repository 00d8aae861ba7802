# 8. A receiver's certificate is expired, of another host, of an unknown CA, or
# revoked: nothing is sent there, the error says which it is, and all is
# delivered when it shows a good one.

import pytest

from lib import address, receivers
from lib.certs import CertificateAuthority

from faults.lib.rig import times

# What the gateway's error must name.
ERRORS = {"expired": "expired", "wrong_host": "host", "unknown_ca": "unknown CA"}


@pytest.mark.parametrize("fault", ERRORS)
def test_nothing_is_sent(rig, ca, tmp_path, fault):
    host = address.fresh()
    issue = {"expired": lambda: ca.issue(ips=[host], expired=True),
             "wrong_host": lambda: ca.issue(names=["somebody-else.test"]),
             "unknown_ca": lambda: CertificateAuthority(tmp_path / "other").issue(ips=[host])}
    bad, good = receivers.tls_context(issue[fault]()), receivers.tls_context(ca.issue(ips=[host]))
    sink, beside = rig.sink(tls=bad, host=host), rig.tls_sink(ca)
    rig.start(ca_file=ca.file)
    touched = rig.drain("a1", sink, touched=True, protocol="tls")
    rig.drain("a1", beside, protocol="tls")
    rig.offer(["a1"], rate=1000)
    with rig.fault():
        rig.run(times(2.5, 30))
        assert touched.tally.got == 0 and sink.frames.tails == {}, "lines went to a wrong receiver"
        status = rig.gw.status("a1", touched.url)
        sink.refuse()
        sink.tls = good
        sink.accept()
    rig.verdict(variant=fault.replace("_", " "))
    assert ERRORS[fault] in status["last_error"]["error"], status["last_error"]
