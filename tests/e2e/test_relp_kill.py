# What was acknowledged over RELP survives kill -9: it was delivered, or is on
# disk; what was not, the sender sends again.  Some lines come twice.

import threading

from lib import address, relp, syslog

COUNT = 10000


def in_parts(send, lines, pause):
    def run():
        for i in range(0, len(lines), 250):
            send(lines[i:i + 250])
            pause.wait(0.02)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def kill_and_start(gw):
    gw.kill()
    gw.start()


def test_rsyslogd_loses_nothing(gateway, receiver, rsyslog_sender):
    host = address.fresh()
    gw, sink = gateway(listen=[f"relp://{host}:2514"]), receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(f"""action(type="omrelp" target="{host}" port="2514"
        template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" queue.size="100000"
        action.resumeRetryCount="-1" action.resumeInterval="1")""")
    lines = syslog.numbered("shop", COUNT)
    thread = in_parts(sender.send, lines, threading.Event())
    for n in (500, 2500, 5000):
        sink.wait_different(n)
        kill_and_start(gw)
    thread.join()
    assert sorted(sink.wait_different(COUNT)) == sorted(lines)


def test_lines_for_a_receiver_that_is_away_are_on_disk_when_they_are_acknowledged(gateway,
                                                                                  receiver):
    host = address.fresh()
    gw, sink, blog = gateway(listen=[f"relp://{host}:2514"]), receiver(), receiver()
    gw.add_drain("shop", sink)
    gw.add_drain("blog", blog)
    blog.stop()
    sender = relp.Sender(lambda: relp.Client(host, 2514))
    for i in range(5):
        first = i * 400
        sender.send([syslog.line("shop" if n % 2 else "blog", f"line {n}")
                     for n in range(first, first + 400)])
        kill_and_start(gw)
    assert sender.sessions >= 5
    blog.start()
    wanted = {b"line %d" % n for n in range(2000)}
    assert {syslog.parse(t).msg for t in blog.wait_different(1000)} == {
        w for w in wanted if int(w.split()[1]) % 2 == 0}
    assert {syslog.parse(t).msg for t in sink.wait_different(1000)} == {
        w for w in wanted if int(w.split()[1]) % 2}


def test_killed_while_lines_are_under_way(gateway, receiver):
    """Each time the client is in the middle of its window."""
    host = address.fresh()
    gw, sink = gateway(listen=[f"relp://{host}:2514"]), receiver()
    gw.add_drain("shop", sink)
    sender = relp.Sender(lambda: relp.Client(host, 2514))
    lines = syslog.numbered("shop", COUNT)
    thread = in_parts(sender.send, lines, threading.Event())
    for n in range(1, 6):
        sink.wait_different(n * 1000)
        kill_and_start(gw)
    thread.join()
    assert sorted(sink.wait_different(COUNT)) == sorted(lines)
