# Requests whose end can be read in two ways are refused with JSON, the
# connection is closed, and what is hidden behind them is never answered.

import re
import socket

HIDDEN = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def talk(gw, data, timeout=15):
    """All that comes back until the other side closes."""
    host, port = gw.admin_address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout) as s:
        s.sendall(data.encode("latin-1"))
        answer = b""
        while True:
            try:
                more = s.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            answer += more
    return answer.decode("latin-1")


HEAD = "POST /v1/apps/shop/log_drains HTTP/1.1\r\nHost: x\r\n"
BODY = "0\r\n\r\n" + HIDDEN

FORMS = {
    "two lengths": HEAD + "Content-Length: 5\r\nContent-Length: 60\r\n\r\n" + BODY,
    "two lengths in one": HEAD + "Content-Length: 5, 60\r\n\r\n" + BODY,
    "length and chunked": HEAD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
    "signed length": HEAD + "Content-Length: +5\r\n\r\n" + BODY,
    "negative length": HEAD + "Content-Length: -5\r\n\r\n" + BODY,
    "hex length": HEAD + "Content-Length: 0x5\r\n\r\n" + BODY,
    "long length": HEAD + "Content-Length: 99999999999999999999\r\n\r\n" + BODY,
    "chunked twice": HEAD + "Transfer-Encoding: chunked, chunked\r\n\r\n" + BODY,
    "odd coding": HEAD + "Transfer-Encoding: xchunked\r\n\r\n" + BODY,
    "coding behind chunked": HEAD + "Transfer-Encoding: chunked, gzip\r\n\r\n" + BODY,
    "0x chunk": HEAD + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + HIDDEN,
    "signed chunk": HEAD + "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n" + HIDDEN,
    "space before colon": HEAD + "Content-Length : 5\r\n\r\n" + BODY,
    "folded header": HEAD + "X: a\r\n Content-Length: 5\r\n\r\n" + BODY,
    "bare LF": HEAD.replace("\r\n", "\n") + "Content-Length: 0\n\n" + HIDDEN,
    "bare CR": HEAD + "X: a\rContent-Length: 5\r\n\r\n" + BODY,
    "NUL in a header": HEAD + "X: a\0b\r\nContent-Length: 5\r\n\r\n" + BODY,
    "no host": HEAD.replace("Host: x\r\n", "") + "Content-Length: 0\r\n\r\n" + HIDDEN,
    "two hosts": HEAD + "Host: y\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "HTTP/0.9": "GET /healthz\r\n\r\n" + HIDDEN,
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 100 + HIDDEN,
    "a space too many": "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
}


def test_ambiguous_requests(gateway):
    gw = gateway()
    for name, data in FORMS.items():
        answer = talk(gw, data)
        found = re.findall(r"HTTP/1\.1 (\d{3}) ", answer)
        assert len(found) == 1 and found[0][0] in "45", (name, answer)
        head, _, body = answer.partition("\r\n\r\n")
        assert "Content-Type: application/json" in head and body.startswith('{"error":"'), name
        assert "ok" not in body, name
    assert gw.request("GET", "/healthz")[0] == 200


def test_pipelined_requests_are_answered_in_turn(gateway):
    gw = gateway()
    answer = talk(gw, HIDDEN * 3 + HIDDEN.replace("Host", "Connection: close\r\nHost"))
    assert re.findall(r"HTTP/1\.1 (\d{3}) ", answer) == ["200"] * 4


def test_a_chunked_body_is_fine(gateway):
    gw = gateway()
    body = '{"drain":{"type":"syslog","host":"h","port":"514"}}'
    token = gw.authorization(gw.token)["Authorization"]
    chunks = "".join(f"1\r\n{c}\r\n" for c in body) + "0\r\n\r\n"
    answer = talk(gw, HEAD + f"Authorization: {token}\r\nTransfer-Encoding: chunked\r\n"
                  "Connection: close\r\n\r\n" + chunks)
    assert answer.startswith("HTTP/1.1 201 ") and "syslog://h:514" in answer
