# A real rsyslogd with omrelp is a sender that loses nothing, whatever becomes of
# the gateway meanwhile; the settings that the docs show are the ones that work.

import pathlib
import re
import signal
import threading
import time

import pytest

from lib import address, syslog, wait

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
COUNT = 20000

# Lines in memory keep their order; an omrelp without a queue of its own waits for its TCP_CORK.
ACTION = """action(type="omrelp" target="127.0.0.1" port="{port}" {more}
       template="RSYSLOG_SyslogProtocol23Format"
       queue.type="LinkedList" queue.size="100000"
       action.resumeRetryCount="-1" action.resumeInterval="1")"""


def omrelp(port, **more):
    return ACTION.format(port=port, more=" ".join(f'{k.replace("_", ".")}="{v}"'
                                                  for k, v in more.items()))


def documented(number, host, port, **files):
    """The n-th example of the docs: the lines that load modules, and the action."""
    text = re.findall(r"^```rsyslog\n(.*?)^```", DOCS.read_text(), flags=re.M | re.S)[number]
    assert 'target="gateway.example"' in text and 'port="2514"' in text
    text = text.replace('target="gateway.example"', f'target="{host}"')
    text = text.replace('port="2514"', f'port="{port}"')
    for name, file in files.items():
        assert f'tls.{name}="' in text
        text = re.sub(rf'tls\.{name}="[^"]*"', f'tls.{name}="{file}"', text)
    modules, action = text.split("action(")
    return {"modules": modules, "action": "action(" + action}


def send_in_parts(sender, lines, pause):
    """In 20 parts, in a thread, with a pause between two."""
    def run():
        for i in range(0, len(lines), len(lines) // 20):
            sender.send(lines[i:i + len(lines) // 20])
            pause.wait(0.1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.threaded
def test_20000_lines_arrive_once_and_in_order(gateway, receiver, rsyslog_sender):
    gw, sink = gateway(listen=["relp://127.0.0.1:0"]), receiver()
    url = gw.add_drain("shop", sink)
    sender = rsyslog_sender(omrelp(gw.port()))
    lines = syslog.numbered("shop", COUNT)
    sender.send(lines)
    assert sink.wait(COUNT) == lines
    gw.wait_delivered("shop", url, COUNT)
    assert len(sink.lines) == COUNT
    assert not gw.find_log(msg="session closed")


def test_lines_of_two_apps_are_kept_apart(gateway, receiver, rsyslog_sender):
    gw, shop, blog = gateway(listen=["relp://127.0.0.1:0"]), receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("blog", blog)
    sender = rsyslog_sender(omrelp(gw.port()))
    sender.send([syslog.line("shop" if i % 2 else "blog", f"line {i}") for i in range(2000)])
    assert syslog.numbers(shop.wait(1000)) == list(range(1, 2000, 2))
    assert syslog.numbers(blog.wait(1000)) == list(range(0, 2000, 2))


def test_long_lines_and_many_bytes(gateway, receiver, rsyslog_sender):
    gw, sink = gateway(listen=["relp://127.0.0.1:0"], max_line="4KiB"), receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(omrelp(gw.port()))
    lines = [syslog.line("shop", f"line {i} " + "Grüße! " * (i * 7 % 2000)) for i in range(1000)]
    sender.send([l.rstrip() for l in lines])
    for sent, got in zip(lines, sink.wait(1000)):
        sent = sent.rstrip()
        if len(sent) > 4096:  # the template ends with a line feed
            assert syslog.parse(got).sd == b'[penstock@32473 cut="%d"]' % (len(sent) + 1 - 4096)
        else:
            assert got == sent


def test_a_stop_loses_nothing_and_doubles_little(gateway, receiver, rsyslog_sender):
    """SIGTERM answers for what it has taken, so only what was under way comes again."""
    host = address.fresh()
    gw, sink = gateway(listen=[f"relp://{host}:2514"]), receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(omrelp(2514).replace("127.0.0.1", host))
    lines = syslog.numbered("shop", COUNT)
    thread = send_in_parts(sender, lines, threading.Event())
    for n in (2000, 6000, 10000):
        sink.wait(n)
        gw.restart()
    thread.join()
    texts = sink.wait_different(COUNT)
    assert syslog.firsts(texts) == lines
    assert len(texts) - COUNT <= 3 * 128


def test_tls_as_documented(gateway, receiver, rsyslog_sender, ca):
    pair, mine = ca.issue(names=["gateway.example"]), ca.issue(names=["web-1"])
    gw = gateway(listen=["relps://127.0.0.1:0"], tls_cert=pair.cert, tls_key=pair.key)
    sink = receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(**documented(1, "127.0.0.1", gw.port(), caCert=ca.file,
                                         myCert=mine.cert, myPrivKey=mine.key))
    lines = syslog.numbered("shop", 5000)
    sender.send(lines)
    assert sorted(sink.wait(5000)) == sorted(lines)


def test_plain_as_documented(gateway, receiver, rsyslog_sender):
    gw, sink = gateway(listen=["relp://127.0.0.1:0"]), receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(**documented(0, "127.0.0.1", gw.port()))
    lines = syslog.numbered("shop", 5000)
    sender.send(lines)
    assert sorted(sink.wait(5000)) == sorted(lines)


def test_as_documented_nothing_is_lost_while_the_gateway_does_not_answer(gateway, receiver,
                                                                        rsyslog_sender):
    """More than rsyslog's queue in memory holds goes to its disk, and is not dropped there."""
    gw, sink = gateway(listen=["relp://127.0.0.1:0"]), receiver()
    gw.add_drain("shop", sink)
    sender = rsyslog_sender(**documented(0, "127.0.0.1", gw.port()))
    lines = syslog.numbered("shop", COUNT)
    sender.send(lines[:1])
    sink.wait(1)
    gw.signal(signal.SIGSTOP)
    try:
        sender.send(lines[1:])
        time.sleep(6)  # rsyslog drops what it cannot queue for 2 s
    finally:
        gw.signal(signal.SIGCONT)
    assert sorted(sink.wait(COUNT)) == sorted(lines)


@pytest.mark.parametrize("library", ["openssl", "gnutls"])
def test_tls_with_a_certificate_that_names_the_app(gateway, receiver, rsyslog_sender, ca, library):
    pair, mine = ca.issue(names=["gateway.example"]), ca.issue(names=["shop"])
    gw = gateway(listen=["relps://127.0.0.1:0?app=cert"], tls_cert=pair.cert, tls_key=pair.key,
                 tls_client_ca=ca.file)
    sink = receiver()
    gw.add_drain("shop", sink)
    tls = dict(tls="on", tls_caCert=ca.file, tls_authMode="name",
               tls_permittedPeer="gateway.example", tls_myCert=mine.cert, tls_myPrivKey=mine.key)
    sender = rsyslog_sender(omrelp(gw.port(), **tls),
                            modules=f'module(load="omrelp" tls.tlslib="{library}")')
    sender.send(syslog.numbered("anything", 1000))
    assert syslog.numbers(sink.wait(1000)) == list(range(1000))


def test_without_the_certificate_that_is_asked_for_nothing_is_taken(gateway, rsyslog_sender, ca):
    pair = ca.issue(names=["gateway.example"])
    gw = gateway(listen=["relps://127.0.0.1:0?auth=required"], tls_cert=pair.cert,
                 tls_key=pair.key, tls_client_ca=ca.file)
    tls = dict(tls="on", tls_caCert=ca.file, tls_authMode="name",
               tls_permittedPeer="gateway.example")
    sender = rsyslog_sender(omrelp(gw.port(), **tls),
                            modules='module(load="omrelp" tls.tlslib="openssl")')
    sender.send(syslog.numbered("shop", 10))
    wait.until(lambda: gw.find_log(msg="session closed", reason="certificate"),
               lambda: "a refusal\n" + gw.log_text())
    assert not gw.find_log(msg="unknown app")


def test_a_gateway_of_another_name_gets_nothing(gateway, rsyslog_sender, ca):
    pair, mine = ca.issue(names=["other.example"]), ca.issue(names=["web-1"])
    gw = gateway(listen=["relps://127.0.0.1:0"], tls_cert=pair.cert, tls_key=pair.key)
    sender = rsyslog_sender(**documented(1, "127.0.0.1", gw.port(), caCert=ca.file,
                                         myCert=mine.cert, myPrivKey=mine.key))
    sender.send(syslog.numbered("shop", 10))
    wait.until(lambda: "authentication error" in sender.log_text(), sender.log_text)
    _, text, _ = gw.request("GET", "/metrics")
    assert b'penstock_listener_lines_total{listener="relps://127.0.0.1:%d"} 0\n' % gw.port() in text
