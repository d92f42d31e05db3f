#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mkordinary.py FILE: an hour of ordinary traffic, in which nobody does anything wrong.

Browsing with many connections at once, some of them to dead servers; DNS with names that do not exist;
monitoring that polls hosts and ports, a few of them down; a service mesh with restarts, probes that only
open a connection and load balancers that only half open it; backups, FTP, mail, NTP, SSH sessions,
pings, traceroute, leases, a fail-over.  The same bytes every time.  Prints the number of packets.
"""
import heapq
import random
import struct
import sys

R = random.Random(11)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1700000000
SNAP = 160      # bytes of a frame that are kept
out = []


def ip4(text):
    return bytes(int(x) for x in text.split("."))


def ip6(n):
    return b"\x20\x01\x0d\xb8" + struct.pack("!IQ", 0, n)


def mac(ip):
    return b"\x00\x16\x3e" + ip[-3:]


def emit(t, src, dst, proto, body, ttl=64):
    if len(src) == 16:
        head = struct.pack("!IHBB", 0x60000000, len(body), proto, ttl) + src + dst
        kind = b"\x86\xdd"
    else:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), R.getrandbits(16), 0x4000, ttl, proto, 0) + src + dst
        kind = b"\x08\0"
    out.append((t, len(out), mac(dst) + mac(src) + kind + head + body))


def tcp(t, src, sport, dst, dport, flags, seq, ack, data=b""):
    emit(t, src, dst, 6, struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64240, 0, 0) + data)


def udp(t, src, sport, dst, dport, data):
    emit(t, src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)


ports = {}


def ephemeral(src):
    ports[src] = 32768 + (ports.get(src, R.randrange(28000)) - 32768 + 1) % 28000
    return ports[src]


def session(t, src, dst, dport, asks=1, size=3000, rtt=0.02, ends="fin"):
    """A connection that works: asks requests, each answered with size bytes (of which headers matter only)."""
    sport, c, s = ephemeral(src), R.getrandbits(31), R.getrandbits(31)
    tcp(t, src, sport, dst, dport, SYN, c, 0)
    tcp(t + rtt, dst, dport, src, sport, SYN | ACK, s, c + 1)
    if ends == "half":
        tcp(t + rtt + 0.0001, src, sport, dst, dport, RST, c + 1, 0)
        return
    tcp(t + rtt + 0.0001, src, sport, dst, dport, ACK, c + 1, s + 1)
    t += rtt + 0.0002
    if ends == "open":
        tcp(t, src, sport, dst, dport, FIN | ACK, c + 1, s + 1)
        tcp(t + rtt, dst, dport, src, sport, FIN | ACK, s + 1, c + 2)
        return
    c, s = c + 1, s + 1
    for _ in range(asks):
        tcp(t, src, sport, dst, dport, PSH | ACK, c, s, b"q" * 120)
        c += 120
        left = size
        while left > 0:
            n = min(1400, left)
            t += rtt if left == size else 0.0002
            tcp(t, dst, dport, src, sport, PSH | ACK, s, c, b"r" * n)
            s += n
            left -= n
        tcp(t + 0.0001, src, sport, dst, dport, ACK, c, s)
        t += R.uniform(0.05, 1)
    tcp(t, src, sport, dst, dport, FIN | ACK, c, s)
    tcp(t + rtt, dst, dport, src, sport, FIN | ACK, s, c + 1)


def dead(t, src, dst, dport, how):
    """Nobody there: silence and three SYNs, or a refusal."""
    sport, c = ephemeral(src), R.getrandbits(31)
    tcp(t, src, sport, dst, dport, SYN, c, 0)
    if how == "refused":
        tcp(t + 0.001, dst, dport, src, sport, RST | ACK, 0, c + 1)
        return
    tcp(t + 1, src, sport, dst, dport, SYN, c, 0)
    tcp(t + 3, src, sport, dst, dport, SYN, c, 0)


def ask(t, src, resolver, name, missing=False):
    q = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0\0\1\0\1"
    ident, sport = struct.pack("!H", R.getrandbits(16)), ephemeral(src)
    udp(t, src, sport, resolver, 53, ident + b"\1\0\0\1\0\0\0\0\0\0" + q)
    if missing:
        udp(t + 0.01, resolver, 53, src, sport, ident + b"\x81\x83\0\1\0\0\0\0\0\0" + q)
    else:
        udp(t + 0.01, resolver, 53, src, sport, ident + b"\x81\x80\0\1\0\1\0\0\0\0" + q + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1")


def ping(t, src, dst, seq, up=True):
    emit(t, src, dst, 1, struct.pack("!BBHHH", 8, 0, 0, 77, seq) + b"p" * 32)
    if up:
        emit(t + 0.002, dst, src, 1, struct.pack("!BBHHH", 0, 0, 0, 77, seq) + b"p" * 32)


def browsing():
    """60 desks, each a page now and then: 30 connections at once to ten servers; advertisers that are dead;
    IPv6 that leads nowhere, tried first each time."""
    resolver = ip4("10.1.0.53")
    web = [ip4("198.51.%d.%d" % (R.randrange(256), R.randrange(1, 255))) for _ in range(400)]
    gone = [ip4("203.0.113.%d" % i) for i in range(1, 25)]
    for desk in range(60):
        src, src6 = ip4("10.1.1.%d" % (desk + 1)), ip6(0x1000 + desk)
        for _ in range(8):
            t = START + R.uniform(0, 3550)
            servers = R.sample(web, 10)
            for dst in servers:
                name = "www%d.example.com" % R.randrange(500)
                ask(t, src, resolver, name)
                ask(t, src, resolver, name.replace("com", "internal.corp.example"), True)
                if desk % 5 == 0:
                    dead(t + 0.02, src6, ip6(0x9000 + R.randrange(20)), 443, "silent")
                for _ in range(3):
                    session(t + R.uniform(0.02, 1), src, dst, 443, R.randrange(1, 3), R.randrange(500, 12000), R.uniform(0.005, 0.2))
            for dst in R.sample(gone, 3):
                dead(t + R.uniform(0, 2), src, dst, 443, R.choice(("silent", "refused")))


def monitoring():
    """One host looks at 60 others each minute: ping, five ports, SNMP; three of them are down, two services too."""
    src = ip4("10.2.0.1")
    for minute in range(60):
        for n in range(60):
            dst, t = ip4("10.3.0.%d" % (n + 1)), START + minute * 60 + n * 0.3
            down = n in (7, 23, 41)
            ping(t, src, dst, minute, not down)
            sport = ephemeral(src)
            udp(t + 0.01, src, sport, dst, 161, b"0" * 40)
            if not down:
                udp(t + 0.02, dst, 161, src, sport, b"0" * 60)
            for port in (22, 80, 443, 9100, 5666):
                if down:
                    dead(t + 0.05, src, dst, port, "silent")
                elif n in (11, 30) and port == 5666:
                    dead(t + 0.05, src, dst, port, "refused")
                else:
                    session(t + 0.05, src, dst, port, 1, 400, 0.001, "open" if port != 9100 else "fin")


def mesh():
    """40 pods call each other; probes each ten seconds; deployments after which old addresses refuse."""
    pods = [ip4("10.4.%d.%d" % (n // 8, 10 + n % 8)) for n in range(40)]
    kubelet, balancer = ip4("10.4.0.1"), ip4("10.4.0.2")
    for t in range(0, 3600, 30):
        for pod in pods[:12]:
            session(START + t + R.uniform(0, 1), kubelet, pod, 8080, 1, 200, 0.0003)
            session(START + t + R.uniform(0, 1), kubelet, pod, 6379, 1, 0, 0.0003, "open")
            session(START + t + R.uniform(0, 1), balancer, pod, 8443, 1, 0, 0.0003, "half")
    for _ in range(4000):
        a, b = R.sample(pods, 2)
        session(START + R.uniform(0, 3590), a, b, R.choice((8080, 9090, 50051, 5432, 6379, 9092)), R.randrange(1, 4), R.randrange(100, 4000), 0.0005)
    for t in (600, 1800, 3000):     # two pods of a service are replaced: their clients find out
        for a in pods[:20]:
            for b in pods[38:]:
                for port in (8080, 9090):
                    dead(START + t + R.uniform(0, 5), a, b, port, R.choice(("refused", "silent")))


def services():
    nas, desk, ftp = ip4("10.5.0.1"), ip4("10.1.1.7"), ip4("10.5.0.2")
    for n in range(20):     # backups, each some megabytes, of which headers are enough
        session(START + 60 + n * 150, ip4("10.3.0.%d" % (n + 1)), nas, 873, 20, 14000, 0.001)
    session(START + 100, desk, ftp, 21, 60, 80, 0.01)
    for n in range(120):    # passive FTP: a port a file
        session(START + 101 + n, desk, ftp, 40000 + R.randrange(20000), 1, 4000, 0.01)
    mail = ip4("10.5.0.3")
    for n in range(60):     # mail: some exchanges are dead
        dst = ip4("198.18.%d.25" % n)
        t = START + n * 55
        if n % 5 == 0:
            dead(t, mail, dst, 25, "silent")
        else:
            session(t, mail, dst, 25, 4, 300, 0.05)
    for n in range(30):
        session(START + n * 110, ip4("10.1.1.9"), ip4("10.3.0.4"), 22, 5, 4000, 0.002)
    for host in range(1, 61):   # NTP, syslog that nobody answers, leases
        src = ip4("10.3.0.%d" % host)
        for t in range(host, 3600, 300):
            for server in range(4):
                udp(START + t + server, src, 123, ip4("198.18.7.%d" % server), 123, b"\x23" + b"\0" * 47)
                udp(START + t + server + 0.03, ip4("198.18.7.%d" % server), 123, src, 123, b"\x24" + b"\0" * 47)
            for i in range(4):
                udp(START + t + i, src, 514, nas, 514, b"<13>hello")
    for trace in range(6):
        for hop in range(1, 17):
            for probe in range(3):
                emit(START + 500 + trace * 400 + hop * 0.1 + probe * 0.01, desk, ip4("198.18.9.9"), 17,
                     struct.pack("!HHHH", 45000, 33434 + hop * 3 + probe, 40, 0) + b"\0" * 32, hop)
    for seq in range(1, 900):
        ping(START + seq * 4, desk, ip4("10.5.0.9"), seq)


def stations():
    """ARP: everybody asks for the gateway; it fails over once, to a virtual address and to another card."""
    def arp(t, op, smac, sip, tmac, tip):
        out.append((t, len(out), (b"\xff" * 6 if op == 1 else tmac) + smac + b"\x08\x06\0\1\x08\0\6\4" + struct.pack("!H", op) + smac + sip + tmac + tip))

    gate, virtual = ip4("10.1.0.1"), ip4("10.1.0.254")
    for t in range(0, 3600, 20):
        for desk in range(0, 60, 6):
            src = ip4("10.1.1.%d" % (desk + 1))
            card = b"\x00\x16\x3e\0\0" + (b"\1" if t < 1800 else b"\2")
            arp(START + t + desk * 0.01, 1, mac(src), src, b"\0" * 6, gate)
            arp(START + t + desk * 0.01 + 0.001, 2, card, gate, mac(src), src)
        arp(START + t, 1, b"\0\0\x5e\0\1\x0a", virtual, b"\0" * 6, virtual)


for part in (browsing, monitoring, mesh, services, stations):
    part()
heapq.heapify(out)
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    n = 0
    while out:
        t, _, frame = heapq.heappop(out)
        f.write(struct.pack("<IIII", int(t), int(t % 1 * 1e6), min(len(frame), SNAP), len(frame)) + frame[:SNAP])
        n += 1
print(n)
