"""A name server of the test's own, on 127.0.0.1:53 of its namespace."""

import ipaddress
import socket
import threading

from dnslib import AAAA, QTYPE, RCODE, RR, A, DNSRecord

DROP = object()


class DnsServer:
    """zone: name -> list of addresses, DROP (never an answer), or a function of how often the
    name's addresses were asked for before that returns one of these.  Other names do not exist.
    """

    def __init__(self, zone, host="127.0.0.1", port=53):
        self.zone = zone
        self.asked = []
        self.times = {}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.sock.settimeout(0.2)
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join(5)
        self.sock.close()

    def count(self, name):
        """How often a name's IPv4 addresses were asked for."""
        return self.times.get(name, 0)

    def _run(self):
        while self.running:
            try:
                data, peer = self.sock.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(DNSRecord.parse(data))
            if answer is not None:
                self.sock.sendto(answer.pack(), peer)

    def _answer(self, query):
        name = str(query.q.qname).rstrip(".").lower()
        kind = QTYPE[query.q.qtype]
        self.asked.append((name, kind))
        reply = query.reply()
        if name not in self.zone:
            reply.header.rcode = RCODE.NXDOMAIN
            return reply
        # A look-up asks for A and AAAA; both are of the same turn.
        turn = self.times.get((name, kind), 0)
        self.times[(name, kind)] = turn + 1
        if kind == "A":
            self.times[name] = turn + 1
        addresses = self.zone[name]
        if callable(addresses):
            addresses = addresses(turn)
        if addresses is DROP:
            return None
        for text in addresses:
            version = ipaddress.ip_address(text).version
            if kind == ("A" if version == 4 else "AAAA"):
                data = A(text) if version == 4 else AAAA(text)
                reply.add_answer(RR(query.q.qname, query.q.qtype, rdata=data, ttl=0))
        return reply
