#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mkmixed.py FILE MEGABYTES: a capture of every protocol that netprobe decodes, for make bench.

Conversations of 500 clients with 200 servers, IPv4 and IPv6, a hundred at a time so that
their packets interleave; the same bytes every time.  Prints the number of packets.
"""
import random
import struct
import sys

R = random.Random(5)
MSS = 1448
AT_ONCE = 100
NOISE = R.randbytes(1 << 18)
PROSE = bytes(R.choice(b"abcdefghij klmnop <p>/\n") for _ in range(1 << 17))
NAMES = [f"www.site{i}.example" for i in range(300)] + [f"api.shop{i}.svc.cluster.local" for i in range(100)]


def address(v6, server, i):
    if v6:
        return b"\x20\x01\x0d\xb8" + struct.pack("!HHQ", server, 0, i + 1)
    return struct.pack("!I", (0xC6336400 if server else 0x0A020000) + i + 1)


def checksum(b):
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    s = (s & 0xFFFF) + (s >> 16)
    return ~(s + (s >> 16)) & 0xFFFF


def frame(src, dst, proto, body):
    """Ethernet and IP around a transport segment."""
    if len(src) == 16:
        proto = 58 if proto == 1 else proto
        head = struct.pack("!IHBB", 0x60000000, len(body), proto, 64) + src + dst
        return b"\2\0\0\0\0\2\2\0\0\0\0\1\x86\xdd" + head + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), R.getrandbits(16), 0x4000, 64, proto, 0) + src + dst
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + head + body


def udp(src, dst, sport, dport, body):
    return frame(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(body), 0) + body)


class Tcp:
    """A connection.  send() yields frames: segments, and an acknowledgement of every second."""

    def __init__(self, ends, port):
        self.ends = ends
        self.ports = (R.randrange(20000, 60000), port)
        self.seq = [R.getrandbits(32), R.getrandbits(32)]

    def segment(self, way, flags, body=b""):
        head = struct.pack("!HHIIBBHHHHBBHII", self.ports[way], self.ports[1 - way], self.seq[way],
                           self.seq[1 - way] if flags & 16 else 0, 0x80, flags, 501, 0, 0, 0x0101, 8, 10, 0, 7, 9)
        head = head[:20] + b"\1\1\x08\x0a" + struct.pack("!II", 7, 9)
        self.seq[way] = (self.seq[way] + len(body) + (1 if flags & 3 else 0)) & 0xFFFFFFFF
        return frame(self.ends[way], self.ends[1 - way], 6, head + body)

    def open(self):
        yield self.segment(0, 2)
        yield self.segment(1, 18)
        yield self.segment(0, 16)

    def send(self, way, data):
        for n, at in enumerate(range(0, len(data), MSS)):
            last = at + MSS >= len(data)
            yield self.segment(way, 24 if last else 16, data[at:at + MSS])
            if n & 1 or last:
                yield self.segment(1 - way, 16)

    def close(self):
        yield self.segment(0, 17)
        yield self.segment(1, 17)
        yield self.segment(0, 16)

    def talk(self, *turns):
        yield from self.open()
        for way, data in turns:
            yield from self.send(way, data)
        yield from self.close()


def size(mean, most):
    return min(int(R.lognormvariate(mean, 1.2)) + 1, most)


def some(pool, n):
    at = R.randrange(len(pool) - n)
    return pool[at:at + n]


def http(ends):
    turns = []
    for _ in range(R.randrange(1, 6)):
        turns.append((0, b"GET /path/%d/item?id=%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\n"
                      b"Accept: */*\r\nCookie: sid=%032x\r\n\r\n" % (R.randrange(1000), R.randrange(10**6),
                                                                  R.choice(NAMES).encode(), R.getrandbits(128))))
        body = some(PROSE, size(8, 60000))
        status = R.choice((b"200 OK", b"200 OK", b"404 Not Found", b"500 Internal Server Error"))
        if R.random() < 0.3:
            cut = len(body) // 2
            turns.append((1, b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" % status +
                          b"".join(b"%x\r\n%s\r\n" % (len(b), b) for b in (body[:cut], body[cut:]) if b) +
                          b"0\r\n\r\n"))
        else:
            turns.append((1, b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
                          % (status, len(body), body)))
    return Tcp(ends, R.choice((80, 80, 8080))).talk(*turns)


def literal(name, value):
    """HPACK: a literal that enters the table (RFC 7541, 6.2.1); lengths under 127."""
    return b"\x40" + bytes([len(name)]) + name + bytes([len(value)]) + value


def h2frame(kind, flags, stream, body):
    return struct.pack("!I", len(body))[1:] + struct.pack("!BBI", kind, flags, stream) + body


def http2(ends):
    turns = [(0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2frame(4, 0, 0, b"")), (1, h2frame(4, 0, 0, b""))]
    for i in range(R.randrange(2, 20)):
        path = b"/shop.Catalog/Get%d" % R.randrange(50)
        head = b"\x83\x86" + literal(b":path", path)
        head += literal(b":authority", R.choice(NAMES).encode()) + literal(b"content-type", b"application/grpc")
        turns.append((0, h2frame(1, 4, 2 * i + 1, head) + h2frame(0, 1, 2 * i + 1, some(NOISE, size(5, 4000)))))
        turns.append((1, h2frame(1, 4, 2 * i + 1, b"\x88" + literal(b"content-type", b"application/grpc")) +
                      h2frame(0, 0, 2 * i + 1, some(NOISE, size(7, 16000))) +
                      h2frame(1, 5, 2 * i + 1, literal(b"grpc-status", b"%d" % R.choice((0, 0, 0, 5))))))
    return Tcp(ends, 50051).talk(*turns)


def resp(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def redis(ends):
    turns = []
    for _ in range(R.randrange(5, 60)):
        key = b"session:%d" % R.randrange(10**6)
        value = some(PROSE, size(5, 8000))
        turns += R.choice((
            [(0, resp(b"GET", key)), (1, b"$%d\r\n%s\r\n" % (len(value), value))],
            [(0, resp(b"SET", key, value, b"EX", b"3600")), (1, b"+OK\r\n")],
            [(0, resp(b"INCR", key) + resp(b"TTL", key)), (1, b":%d\r\n:-1\r\n" % R.randrange(1000))],
            [(0, resp(b"LRANGE", key, b"0", b"9")), (1, resp(*[some(PROSE, 40)] * 10))]))
    return Tcp(ends, 6379).talk(*turns)


def kafka(ends):
    turns = []
    for i in range(R.randrange(3, 30)):
        topic = b"orders-%d" % R.randrange(20)
        batch = some(NOISE, size(7, 30000))
        ask = struct.pack("!hhih", 0, 7, i, 5) + b"maker" + struct.pack("!hhii", -1, -1, 30000, 1)
        ask += struct.pack("!h", len(topic)) + topic + struct.pack("!iii", 1, 0, len(batch)) + batch
        say = struct.pack("!iih", i, 1, len(topic)) + topic + struct.pack("!iihqqqi", 1, 0, 0, 77, -1, 0, 0)
        turns.append((0, struct.pack("!i", len(ask)) + ask))
        turns.append((1, struct.pack("!i", len(say)) + say))
    return Tcp(ends, 9092).talk(*turns)


def ext(kind, body):
    return struct.pack("!HH", kind, len(body)) + body


def handshake(kind, body):
    return b"\x16\3\3" + struct.pack("!H", len(body) + 4) + struct.pack("!I", kind << 24 | len(body)) + body


def tls(ends):
    name = R.choice(NAMES).encode()
    exts = ext(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name) + ext(10, b"\0\4\0\x1d\0\x17")
    exts += ext(11, b"\1\0") + ext(13, b"\0\6\4\3\x08\4\4\1") + ext(16, b"\0\x0c\2h2\x08http/1.1")
    exts += ext(43, b"\4\3\4\3\3") + ext(51, b"\0\x24\0\x1d\0\x20" + R.randbytes(32))
    ciphers = struct.pack("!8H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC030, 0xCCA9, 0x9C)
    hello = b"\3\3" + R.randbytes(32) + b"\x20" + R.randbytes(32) + struct.pack("!H", len(ciphers)) + ciphers
    turns = [(0, handshake(1, hello + b"\1\0" + struct.pack("!H", len(exts)) + exts))]
    exts = ext(43, b"\3\4") + ext(51, b"\0\x1d\0\x20" + R.randbytes(32))
    hello = b"\3\3" + R.randbytes(32) + b"\x20" + R.randbytes(32) + b"\x13\1\0" + struct.pack("!H", len(exts)) + exts
    turns.append((1, handshake(2, hello) + b"\x14\3\3\0\1\1" + data_record(3000)))
    for _ in range(R.randrange(1, 8)):
        turns.append((0, data_record(R.randrange(100, 700))))
        turns.append((1, b"".join(data_record(size(8, 16000)) for _ in range(R.randrange(1, 4)))))
    return Tcp(ends, 443).talk(*turns)


def data_record(n):
    return b"\x17\3\3" + struct.pack("!H", n) + some(NOISE, n)


def labels(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def dns(ends):
    ident, port = R.getrandbits(16), R.randrange(20000, 60000)
    question = labels(R.choice(NAMES)) + struct.pack("!HH", R.choice((1, 28)), 1)
    n, code = R.randrange(0, 5), R.choice((0, 0, 0, 0, 3))
    answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + R.randbytes(4) for _ in range(n))
    ask = struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + question
    say = struct.pack("!6H", ident, 0x8180 | code, 1, n, 0, 0) + question + answers
    if R.random() < 0.1:
        yield from Tcp(ends, 53).talk((0, struct.pack("!H", len(ask)) + ask), (1, struct.pack("!H", len(say)) + say))
        return
    yield udp(*ends, port, 53, ask)
    yield udp(*reversed(ends), 53, port, say)


def dhcp(_ends):
    mac, xid = b"\2" + R.randbytes(5), R.getrandbits(32)
    client, server = address(False, False, 1), address(False, True, 250)
    options = {1: b"\x37\4\1\3\6\x0f\x0c\5maker", 2: b"\x36\4\xc6\x33\x64\xfb\x33\4\0\0\x0e\x10",
               3: b"\x32\4\x0a\2\0\2\x37\4\1\3\6\x0f", 5: b"\x36\4\xc6\x33\x64\xfb\x33\4\0\0\x0e\x10"}
    for kind, more in options.items():
        reply = kind in (2, 5)
        body = struct.pack("!BBBBIHH", 1 + reply, 1, 6, 0, xid, 0, 0) + bytes(16) + mac + bytes(202)
        body += b"\x63\x82\x53\x63\x35\1" + bytes([kind]) + more + b"\xff"
        yield udp(server, client, 67, 68, body) if reply else udp(client, server, 68, 67, body)


def quic(ends):
    port = R.randrange(20000, 60000)
    for _ in range(R.randrange(5, 60)):
        yield udp(*ends, port, 443, b"\x41" + some(NOISE, 40))
        yield udp(*reversed(ends), 443, port, b"\x42" + some(NOISE, 1250))


def ping(ends):
    ident = R.getrandbits(16)
    v6 = len(ends[0]) == 16
    for n in range(R.randrange(1, 5)):
        yield frame(*ends, 1, struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, ident, n) + bytes(56))
        yield frame(*reversed(ends), 1, struct.pack("!BBHHH", 129 if v6 else 0, 0, 0, ident, n) + bytes(56))


KINDS = ((dns, 40), (http, 16), (tls, 16), (http2, 5), (redis, 6), (kafka, 3), (quic, 3), (ping, 8), (dhcp, 3))


def conversation():
    kind = R.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
    v6 = R.random() < 0.25
    return kind((address(v6, False, R.randrange(500)), address(v6, True, R.randrange(200))))


def main():
    left, ns, packets = int(sys.argv[2]) * 1000000, 1700000000 * 10**9, 0
    running = [conversation() for _ in range(AT_ONCE)]
    with open(sys.argv[1], "wb", 1 << 22) as out:
        out.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        while left > 0:
            i = R.randrange(AT_ONCE)
            packet = next(running[i], None)
            if packet is None:
                running[i] = conversation()
                continue
            ns += R.randrange(20000)
            out.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(packet), len(packet)) + packet)
            left -= len(packet) + 16
            packets += 1
    print(packets)


if __name__ == "__main__":
    main()
