#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""frames.py OUT.pcap - small frames of our own making, for lines.sh to compare with tcpdump."""
import struct
import sys

ETH = b'\x02\0\0\0\0\x02\x02\0\0\0\0\x01'
A4, B4 = b'\x0a\0\0\x01', b'\x0a\0\0\x02'
A6, B6 = (b'\x20\x01\x0d\xb8' + b'\0' * 11 + x for x in (b'\1', b'\2'))


def csum(data):
    data += b'\0' * (len(data) & 1)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def eth(kind, body):
    return ETH + struct.pack('>H', kind) + body


def ip4(proto, body, src=A4, dst=B4, ident=1, off=0x4000):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(body), ident, off, 64, proto, 0, src, dst)
    return eth(0x800, head[:10] + struct.pack('>H', csum(head)) + head[12:] + body)


def ip6(proto, body):
    return eth(0x86dd, struct.pack('>IHBB', 6 << 28, len(body), proto, 64) + A6 + B6 + body)


def udp(sport, dport, body):
    return struct.pack('>HHHH', sport, dport, 8 + len(body), 0) + body


def tcp(sport, dport, flags, seq, ack, options=b'', body=b''):
    return struct.pack('>HHIIBBHHH', sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags,
                       64240, 0, 0) + options + body


def icmp(kind, code, rest, body=b''):
    head = struct.pack('>BBHI', kind, code, 0, rest) + body
    return head[:2] + struct.pack('>H', csum(head)) + head[4:]


def name(text):
    return b''.join(bytes([len(x)]) + x.encode() for x in text.split('.')) + b'\0'


def dns(ident, flags, question, *answers):
    return struct.pack('>HHHHHH', ident, flags, 1, len(answers), 0, 0) + question + b''.join(answers)


def frames():
    syn = bytes.fromhex('020405b40402080a000000010000000001030307')
    stamp = bytes.fromhex('0101080a0000000200000001')
    yield ip4(6, tcp(1234, 4280, 2, 1000, 0, syn))
    yield ip4(6, tcp(4280, 1234, 0x12, 5000, 1001, syn), B4, A4)
    yield ip4(6, tcp(1234, 4280, 0x10, 1001, 5001, stamp))
    yield ip4(6, tcp(1234, 4280, 0x18, 1001, 5001, stamp, b'hello'))
    yield ip4(6, tcp(4280, 1234, 0x10, 5001, 1001, bytes.fromhex('0101050a000003eb000003ed')), B4, A4)
    yield ip4(6, tcp(1234, 4280, 0xd4, 1006, 5001))
    yield ip4(6, tcp(1234, 81, 0x31, 1006, 5001))
    yield ip6(6, tcp(1234, 4280, 2, 1000, 0, syn))
    yield ip6(6, tcp(1234, 4280, 0x18, 1001, 7, b'', b'x' * 100))
    yield ip4(17, udp(5555, 5556, b'hello'))
    yield ip6(17, udp(5555, 5556, b''))
    yield eth(0x8100, b'\xa0\x05\x08\0') + ip4(17, udp(1, 2, b'ab'))[14:]
    yield ip4(1, icmp(8, 0, 0x70001, b'ping' * 14))
    yield ip4(1, icmp(0, 0, 0x70001, b'ping' * 14), B4, A4)
    quoted = ip4(17, udp(40000, 5300, b'12345678'))[14:]
    yield ip4(1, icmp(3, 3, 0, quoted), B4, A4)
    yield ip4(1, icmp(3, 1, 0, quoted), B4, A4)
    yield ip4(1, icmp(3, 4, 1400, quoted), B4, A4)
    yield ip4(1, icmp(11, 0, 0, quoted), B4, A4)
    yield ip4(1, icmp(5, 1, 0x0a000009, quoted), B4, A4)
    yield ip6(58, icmp(128, 0, 0x70001, b'ping' * 14))
    yield ip6(58, icmp(135, 0, 0, B6 + b'\1\1' + ETH[6:]))
    yield ip6(58, icmp(136, 0, 0x60000000, B6 + b'\2\1' + ETH[6:]))
    yield ip6(58, icmp(2, 0, 1280, ip6(17, udp(40000, 5300, b''))[14:]))
    yield ip6(58, icmp(1, 4, 0, ip6(17, udp(40000, 5300, b''))[14:]))
    arp = b'\0\1\x08\0\6\4\0%c' + ETH[6:] + A4 + b'%s' + B4
    yield eth(0x806, arp % (1, b'\0' * 6))
    yield eth(0x806, arp % (2, ETH[:6]) + b'\0' * 18)
    ask = name('www.example.com') + b'\0\1\0\1'
    yield ip4(17, udp(40000, 53, dns(1234, 0x100, ask)))
    yield ip4(17, udp(53, 40000, dns(1234, 0x8180, ask, b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4')), B4, A4)
    yield ip4(17, udp(53, 40000, dns(1235, 0x8183, ask)), B4, A4)
    yield ip4(17, udp(53, 40000, dns(1236, 0x8580, name('example.com') + b'\0\x0f\0\1',
                                     b'\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\x09\0\x0a\4mail\xc0\x0c')), B4, A4)


def main():
    with open(sys.argv[1], 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames()):
            out.write(struct.pack('<IIII', 1600000000 + i, 0, len(frame), len(frame)) + frame)


main()
