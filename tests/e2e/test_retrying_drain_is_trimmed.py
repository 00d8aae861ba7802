# A drain whose receiver is away keeps its newest app-memory, a second after the
# lines came: also when no more lines come, and says how many it dropped.

from lib import receivers, syslog


def test_without_another_line(gateway):
    gw = gateway(app_memory="256KiB", stop_timeout="200ms", spool_size="0")
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send([syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(2000)])
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "trimmed")
    waiting = status["waiting"]["memory"]
    assert waiting["lines"] + status["dropped"]["memory"] == 2000
    # By whole chunks of 64 KiB; what was cut into segments for the connection stays.
    assert waiting["bytes"] <= (256 + 3 * 64) * 1024
