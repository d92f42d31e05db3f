#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mkbomb.py KIND N FILE: traffic made to hurt whoever reads it, as a pcap file; N is its size.
mkbomb.py --list: the kinds."""
import struct
import sys

MSS = 1448


def ip4(n):
    return struct.pack('>I', n)


class Capture:
    def __init__(self, path):
        self.f = open(path, 'wb')
        self.f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        self.us = 0

    def frame(self, proto, src, dst, l4, number=1, fragment=0x4000):
        ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(l4), number, fragment, 64, proto, 0) + ip4(src) + ip4(dst)
        data = b'\2\0\0\0\0\2\2\0\0\0\0\1\x08\0' + ip + l4
        self.us += 10
        self.f.write(struct.pack('<IIII', 1700000000 + self.us // 1000000, self.us % 1000000, len(data), len(data)))
        self.f.write(data)

    def tcp(self, src, dst, sport, dport, seq, flags, payload=b'', ack=0):
        self.frame(6, src, dst, struct.pack('>HHIIBBHHH', sport, dport, seq & 0xffffffff, ack, 0x50, flags, 65535, 0, 0) + payload)

    def udp(self, sport, dport, payload):
        self.frame(17, 0x0a000001, 0x0a000002, struct.pack('>HHHH', sport, dport, 8 + len(payload), 0) + payload)

    def talk(self, port, bytes, size=MSS):
        """One connection's client says all that."""
        self.tcp(0x0a000001, 0x0a000002, 40000, port, 999, 2)
        for at in range(0, len(bytes), size):
            self.tcp(0x0a000001, 0x0a000002, 40000, port, 1000 + at, 16, bytes[at:at + size])


def syns(c, n):
    for i in range(n):
        c.tcp(0x0b000000 + i, 0x0a000002, 1024 + i % 60000, 80, i, 2)


def half_open(c, n):
    """Connections that say one thing, and then another behind a hole."""
    for i in range(n):
        c.tcp(0x0b000000 + i, 0x0a000002, 40000, 80, 1, 2)
        c.tcp(0x0b000000 + i, 0x0a000002, 40000, 80, 2, 16, b'GET / HTTP/1.1\r\n')
        c.tcp(0x0b000000 + i, 0x0a000002, 40000, 80, 40000, 16, b'x' * 200)


def one_byte(c, n):
    line = b'GET /%s HTTP/1.1\r\nHost: a\r\n\r\n' % (b'a' * 3000)
    c.talk(80, (line * (n // len(line) + 1))[:n], 1)


def http_line(c, n):
    c.talk(80, b'GET /' + b'a' * n, 16)


def http_headers(c, n):
    c.talk(80, b'GET / HTTP/1.1\r\n' + b'a:b\r\n' * (n // 5), 64)


def http_pipeline(c, n):
    c.talk(80, b'GET / HTTP/1.1\r\n\r\n' * (n // 18))


def http_chunks(c, n):
    c.talk(80, b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n' + b'1\r\na\r\n' * (n // 6))


PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + b'\0\0\0\4\0\0\0\0\0'


def h2_frame(kind, flags, stream, payload):
    return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def h2_continuation(c, n):
    endless = h2_frame(9, 0, 1, b'\0\1a\1b')
    c.talk(80, PREFACE + h2_frame(1, 0, 1, b'\x82\x86\x84') + endless * (n // len(endless)))


def h2_empty_continuation(c, n):
    c.talk(80, PREFACE + h2_frame(1, 0, 1, b'\x82\x86\x84') + h2_frame(9, 0, 1, b'') * (n // 9))


def h2_huffman(c, n):
    block = b'\x82\x86\x84\0\1a\x7f\xa1\x7e' + b'\0' * 16300		# the shortest code, over and over
    out = PREFACE
    for i in range(n // len(block) + 1):
        out += h2_frame(1, 4, 2 * i + 1, block)
    c.talk(80, out)


def h2_table(c, n):
    """One long entry, then a reference to it in each byte."""
    fill = b'\x82\x86\x84\x40\1a\x7f\xa0\x1e' + b'v' * 3999
    block = b'\x82\x86\x84' + b'\xbe' * 16000
    out = PREFACE + h2_frame(1, 4, 1, fill)
    for i in range(n // len(block) + 1):
        out += h2_frame(1, 4, 2 * i + 3, block)
    c.talk(80, out)


def h2_sizes(c, n):
    block = b'\x82\x86\x84' + b'\x20\x3f\xe1\x1f' * 4000
    out = PREFACE
    for i in range(n // len(block) + 1):
        out += h2_frame(1, 4, 2 * i + 1, block)
    c.talk(80, out)


def redis_nesting(c, n):
    c.talk(6379, b'*1\r\n$4\r\nPING\r\n' + b'*1\r\n' * (n // 4))


def redis_giant(c, n):
    c.talk(6379, b'*1\r\n$4\r\nPING\r\n' + b'*2147483647\r\n' + b'$1\r\na\r\n' * (n // 7))


def redis_length(c, n):
    c.talk(6379, b'*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$536870912\r\n' + b'a' * n)


def redis_pipeline(c, n):
    c.talk(6379, b'*1\r\n$4\r\nPING\r\n' * (n // 14))


def kafka(c, n):
    head = struct.pack('>hhih', 3, 1, 7, 1) + b'c'
    topics = struct.pack('>I', 0x7fffffff) + b'\0\1t' * 20000
    message = struct.pack('>I', len(head + topics)) + head + topics
    c.talk(9092, message * (n // len(message) + 1))


def kafka_produce(c, n):
    head = struct.pack('>hhih', 0, 3, 7, 1) + b'c' + b'\xff\xff' + struct.pack('>hi', 1, 1000)
    topics = struct.pack('>I', 0x7fffffff) + (b'\0\1t' + struct.pack('>i', 0)) * 9000
    message = struct.pack('>I', len(head + topics)) + head + topics
    c.talk(9092, message * (n // len(message) + 1))


def dns_pointers(c, n):
    head = struct.pack('>HHHHHH', 7, 0x8000, 0, 100, 0, 0)
    chain = b'\0' + b''.join(struct.pack('>H', 0xc000 | (12 + 2 * i - (1 if i else 0))) for i in range(600))
    message = head + chain
    for _ in range(n // len(message) + 1):
        c.udp(53, 4000, message)


def dns_records(c, n):
    """Long names, by pointer, as often as there is room."""
    head = struct.pack('>HHHHHH', 7, 0x8000, 1, 4000, 0, 0)
    name = (b'\x3f' + b'\0' * 63) * 3 + b'\x3d' + b'\1' * 61 + b'\0'
    record = b'\xc0\x0c' + struct.pack('>HHIH', 5, 1, 60, 2) + b'\xc0\x0c'
    message = head + name + b'\0\1\0\1' + record * 4000
    message = struct.pack('>H', len(message)) + message
    c.talk(53, message * (n // len(message) + 1))


def dhcp(c, n):
    head = bytes([2, 1, 6, 0]) + b'\1\2\3\4' + b'\0' * 20 + b'\2\0\0\0\0\1' + b'\0' * 10
    head += b'\x37\1\1' * 21 + b'\0' + b'\x0c\1a' * 42 + b'\0\0' + b'\x63\x82\x53\x63\x35\1\5\x34\1\3'
    message = head + b'\x37\1\1\x0c\1a\x3c\1b\x51\4\0\0\0a' * 80
    for _ in range(n // len(message) + 1):
        c.udp(67, 68, message)


def dhcp6(c, n):
    message = b'\x01\0\0\7'
    for _ in range(30):
        message = b'\x0c\1' + b'\0' * 32 + struct.pack('>HH', 9, len(message)) + message
    for _ in range(n // len(message) + 1):
        c.udp(547, 547, message)


def tls_records(c, n):
    """A hello of 64 KiB, a byte a record."""
    hello = b'\1\0\xff\x00\3\3' + b'\0' * 65274
    c.talk(443, b''.join(b'\x16\3\1\0\1' + hello[i:i + 1] for i in range(min(n, len(hello)))) +
           b'\x16\3\1\0\1\0' * (max(n - len(hello), 0) // 6))


def tls_bytes(c, n):
    """Hellos of 64 KiB in four records, a byte a segment."""
    hello = b'\1\0\xff\x00\3\3' + b'\0' * 65278
    records = b''.join(b'\x16\3\1' + struct.pack('>H', len(hello[i:i + 16384])) + hello[i:i + 16384]
                       for i in range(0, len(hello), 16384))
    c.talk(443, (records * (n // len(records) + 1))[:n], 1)


def tls_certificates(c, n):
    """Certificates of 60 KiB, of names of two bytes each, of types that have none, one after another."""
    def der(tag, b):
        return bytes([tag]) + (bytes([len(b)]) if len(b) < 128 else b'\x82' + struct.pack('>H', len(b))) + b

    def sized(b):
        return struct.pack('>I', len(b))[1:] + b

    name = der(0x30, der(0x31, der(0x30, b'\6\1\x88\x0c\0')) * 1500)
    names = der(0xa3, der(0x30, der(0x30, b'\6\3\x55\x1d\x11' + der(4, der(0x30, b'\x82\0' * 8000)))))
    cert = der(0x30, der(0x30, b'\2\1\1\x30\0' + name + b'\x30\0' + name + b'\x30\0' + names))
    message = b'\x0b' + sized(sized(sized(cert)))
    records = b''.join(b'\x16\3\3' + struct.pack('>H', len(message[i:i + 16000])) + message[i:i + 16000]
                       for i in range(0, len(message), 16000))
    hello = b'\x16\3\3\0\x2a\2\0\0\x26\3\3' + b'\0' * 33 + b'\xc0\x2f\0'
    c.talk(443, hello + records * (n // len(records) + 1))


def quic(c, n):
    """Initials that do not decrypt, each of another connection."""
    for i in range(n // 1200):
        c.udp(1024 + i % 60000, 443, b'\xc3\0\0\0\1\x08' + struct.pack('>Q', i) + b'\0\0\x44\x96' + b'\0' * 1170)


# One long message of DNS after another, so that each byte is waited for; n segments of it.
LONG = struct.pack('>HHHHHHH', 64012, 1, 0x100, 12800, 0, 0, 0) + b'\0\0\1\0\1' * 12800


def long_part(at, n):
    at %= len(LONG)
    return (LONG + LONG[:MSS])[at:at + n]


def client(c, at, n):
    c.tcp(0x0a000001, 0x0a000002, 40000, 53, 1000 + at, 16, long_part(at, n))


def tcp_bytes(c, n):
    for i in range(n):
        client(c, i, 1)


def tcp_segments(c, n):
    for i in range(n):
        client(c, i * 1000, 1000)


def tcp_reversed(c, n):
    """From the last byte of each 60000 to the first."""
    client(c, 0, 1)
    for i in range(n):
        client(c, 1 + i // 60000 * 60000 + 59999 - i % 60000, 1)


def tcp_every_other(c, n):
    for i in range(n):
        client(c, 2 * i, 1)


def tcp_overlap(c, n):
    """Behind a hole, each over what is there."""
    client(c, 0, 1)
    for i in range(n):
        client(c, 10 + i * 7 % 60000, 1000)


def tcp_acks(c, n, hole=False):
    client(c, 0, 2)
    if hole:
        client(c, 65500, 1)
    for i in range(n):
        c.tcp(0x0a000002, 0x0a000001, 53, 40000, 1, 16, ack=1002)


def tcp_hole_acks(c, n):
    """What is held far behind a hole is not looked for at each acknowledgment."""
    tcp_acks(c, n, True)


def tcp_far(c, n):
    """Connections of two segments, the second far behind the first."""
    for i in range(n // 2):
        c.tcp(0x0b000000 + i % 5000, 0x0a000002, 40000, 53, 1000 + i // 5000 * 70000, 16, LONG[:1])
        c.tcp(0x0b000000 + i % 5000, 0x0a000002, 40000, 53, 61000 + i // 5000 * 70000, 16, b'a')


def tcp_storm(c, n):
    """Connections of which every other one says nothing, and the rest a byte, one behind a hole, and that one otherwise."""
    for i in range(n):
        c.tcp(0x0b000000 + i, 0x0a000002, 40000, 80, 1, 2)
        if i % 2:
            for at, byte in ((0, b'G'), (2, b'T'), (2, b'X')):
                c.tcp(0x0b000000 + i, 0x0a000002, 40000, 80, 2 + at, 16, byte)


def frag_tiny(c, n):
    """One piece of each datagram, at its end."""
    for i in range(n):
        c.frame(17, 0x0a000001 + i // 65536, 0x0a000002, b'a' * 8, i % 65536, 0x2000 | 8180)


def frag_overlap(c, n):
    for i in range(n):
        c.frame(17, 0x0a000001, 0x0a000002, b'a' * 1400, i // 1000, 0x2000 | i % 1000)


def frag_pieces(c, n):
    """Datagrams of every other piece, in no order."""
    for i in range(n):
        c.frame(17, 0x0a000001, 0x0a000002, b'a' * 8, i // 4000, 0x2000 | (2 * (i % 4000 * 2001 % 4000) + 1))


KINDS = {f.__name__: f for f in (syns, half_open, one_byte, http_line, http_headers, http_pipeline, http_chunks,
                                 h2_continuation, h2_empty_continuation, h2_huffman, h2_table, h2_sizes,
                                 redis_nesting, redis_giant, redis_length, redis_pipeline, kafka, kafka_produce,
                                 dns_pointers, dns_records, dhcp, dhcp6, tls_records, tls_bytes, tls_certificates, quic,
                                 tcp_bytes, tcp_segments, tcp_reversed, tcp_every_other, tcp_overlap, tcp_acks,
                                 tcp_hole_acks, tcp_far, tcp_storm, frag_tiny, frag_overlap, frag_pieces)}

if sys.argv[1:] == ['--list']:
    print('\n'.join(KINDS))
else:
    KINDS[sys.argv[1]](Capture(sys.argv[3]), int(sys.argv[2]))
