# A logtail drain (alias betterstack) delivers what Better Stack documents for
# its HTTP API: arrays of JSON objects under the source's token.

import pytest

from lib import syslog, vendors


@pytest.mark.threaded
@pytest.mark.parametrize("name", ["logtail", "betterstack"])
def test_lines(gateway, http_receiver, ca, name):
    intake = http_receiver(vendors.Logtail("SOURCE-TOKEN"))
    gw = gateway(ca_file=ca.file, batch_wait="50ms", logtail_endpoint=intake.url())
    url = gw.add_drain("shop", type=name, token="SOURCE-TOKEN")
    gw.send([syslog.line("shop", "hello world", host="db-3", pri=8 + 3)] +
            syslog.numbered("shop", 999))
    assert intake.wait(1000)[0] == "hello world"
    assert intake.messages[1:] == [f"line {i}" for i in range(999)]
    first = intake.entries[0].fields
    assert vendors.rfc3339(first["dt"]) == vendors.rfc3339(syslog.STAMP)
    values = str(first)
    assert "shop" in values and "db-3" in values and "web-1" in values
    assert len(intake.requests) < 50
    gw.wait_delivered("shop", url, 1000)
