#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mktls.py FILE HELLOS: a capture of TLS connections, each a ClientHello and a ServerHello, for make bench.

TLS 1.2 and 1.3 as browsers, libraries and small programs speak it: hellos from 84 bytes to two segments, new
connections and resumed ones, a hundred at a time so that their packets interleave; the same bytes every time.
Prints the number of hellos.
"""
import struct
import sys

sys.dont_write_bytecode = True
from mkmixed import AT_ONCE, NAMES, R, Tcp, address, data_record, ext, handshake

GREASE = [0x0A0A + 0x1010 * i for i in range(16)]
C13 = (0x1301, 0x1302, 0x1303)
C12 = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x9C, 0x9D, 0x2F, 0x35)
OLD = (0xC024, 0xC028, 0x3D, 0xC00A, 0xC014, 0x39, 0x35, 0xC023, 0xC027, 0x3C, 0x33, 0x2F, 0xFF)
SIGNATURES = (0x403, 0x804, 0x401, 0x503, 0x805, 0x501, 0x806, 0x601)
X25519, P256, P384, HYBRID = 0x1D, 0x17, 0x18, 0x11EC
KEYS = {X25519: 32, P256: 65, P384: 97, HYBRID: 1216}


def u16(*n):
    return struct.pack(f"!{len(n)}H", *n)


def long(b):
    return u16(len(b)) + b


def short(b):
    return bytes([len(b)]) + b


def server_name():
    return ext(0, long(b"\0" + long(R.choice(NAMES).encode())))


def alpn(*names):
    return ext(16, long(b"".join(short(n) for n in names)))


def keys(*groups):
    return ext(51, long(b"".join(u16(g) + long(R.randbytes(KEYS.get(g, 1))) for g in groups)))


def hello(ciphers, session, *exts):
    all_exts = b"".join(exts)
    return handshake(1, b"\3\3" + R.randbytes(32) + short(R.randbytes(session)) + long(u16(*ciphers)) + b"\1\0" +
                     long(all_exts))


def usual(*groups):
    """What nearly all send."""
    return (ext(23, b"") + ext(0xFF01, b"\0") + ext(10, long(u16(*groups))) + ext(11, b"\1\0") +
            ext(13, long(u16(*SIGNATURES))))


def browser(*groups):
    """Values that mean nothing, and extensions in an order of its own each time (RFC 8701)."""
    a, b, c, d = (R.choice(GREASE) for _ in range(4))
    d = d if d != c else GREASE[GREASE.index(c) - 1]
    middle = [server_name(), usual(b, *groups, P256, P384), ext(35, b""), alpn(b"h2", b"http/1.1"),
              ext(5, b"\1\0\0\0\0"), ext(18, b""), keys(b, *groups), ext(45, b"\1\1"),
              ext(43, short(u16(a, 0x304, 0x303))), ext(27, b"\2\0\2"), ext(0x44CD, long(short(b"h2")))]
    R.shuffle(middle)
    return (a, *C13, *C12), [ext(c, b""), *middle, ext(d, b"\0")]


def hybrid():
    """A key of ML-KEM takes it over two segments."""
    ciphers, exts = browser(HYBRID, X25519)
    return hello(ciphers, 32, *exts)


def padded():
    """To 512 bytes (RFC 7685)."""
    ciphers, exts = browser(X25519)
    rest = 512 + 5 - len(hello(ciphers, 32, *exts)) - 4
    return hello(ciphers, 32, *exts, ext(21, bytes(max(rest, 0))))


def library():
    return hello((*C13, *C12, 0xFF), 32, server_name(), usual(X25519, P256, P384), ext(22, b""), ext(35, b""),
                 alpn(b"http/1.1"), ext(43, short(u16(0x304, 0x303))), ext(45, b"\1\1"), keys(X25519))


def resumed():
    """With a ticket of TLS 1.3 and early data."""
    return hello((*C13, *C12), 32, server_name(), usual(X25519, P256), alpn(b"h2"), ext(42, b""),
                 ext(43, short(u16(0x304, 0x303))), ext(45, b"\1\1"), keys(X25519),
                 ext(41, long(long(R.randbytes(208)) + R.randbytes(4)) + long(short(R.randbytes(32)))))


def ticket():
    return hello((*C12, 0xFF), 32, server_name(), usual(X25519, P256), ext(35, R.randbytes(192)), alpn(b"h2"))


def plain():
    return hello(OLD, 0, server_name(), usual(P256, P384))


def nameless():
    """Of a small program that calls an address."""
    return hello(C12[:4], 0, ext(10, long(u16(P256))), ext(11, b"\1\0"), ext(13, long(u16(*SIGNATURES[:3]))))


# ── what servers answer ──────────────────────────────────────────────────────
def der(tag, *parts):
    b = b"".join(parts)
    n = len(b)
    return bytes([tag]) + (bytes([n]) if n < 128 else b"\x82" + u16(n)) + b


def certificate():
    def name(cn):
        return der(0x30, der(0x31, der(0x30, b"\6\3\x55\4\3", der(0x0C, cn))))

    ecdsa = der(0x30, b"\6\x08\x2a\x86\x48\xce\x3d\4\3\2")
    key = der(0x30, der(0x30, b"\6\7\x2a\x86\x48\xce\x3d\2\1", b"\6\x08\x2a\x86\x48\xce\x3d\3\1\7"),
              der(3, b"\0\4", R.randbytes(64)))
    time = der(0x30, der(0x17, b"240101000000Z"), der(0x17, b"340101000000Z"))
    cn = R.choice(NAMES).encode()
    names = der(0x30, b"\6\3\x55\x1d\x11", der(4, der(0x30, der(0x82, cn), der(0x82, b"*." + cn))))
    tbs = der(0x30, b"\xa0\3\2\1\2", der(2, b"\1", R.randbytes(15)), ecdsa, name(b"Bench CA"), time, name(cn), key,
              der(0xA3, der(0x30, names)))
    signature = der(0x30, der(2, b"\1", R.randbytes(31)), der(2, b"\1", R.randbytes(31)))
    return der(0x30, tbs, ecdsa, der(3, b"\0", signature))


CHAINS = []


def answer(session, cipher, *exts):
    return handshake(2, b"\3\3" + R.randbytes(32) + short(session) + u16(cipher) + b"\0" + long(b"".join(exts)))


def answer13(session, group=X25519, extra=b"", flight=0):
    key = R.randbytes(1120 if group == HYBRID else KEYS[group])
    return (answer(session, R.choice(C13), ext(43, b"\3\4"), ext(51, u16(group) + long(key)), extra) +
            b"\x14\3\3\0\1\1" + data_record(flight or R.randrange(900, 2800)))


def answer12(cipher):
    """All of it in the clear, up to ServerHelloDone."""
    chain = b"".join(b"\0" + long(c) for c in R.choice(CHAINS))
    kex = b"\3" + u16(X25519) + short(R.randbytes(32)) + u16(0x403) + long(R.randbytes(70))
    return (answer(R.randbytes(32), cipher, ext(0xFF01, b"\0"), ext(11, b"\1\0")) +
            handshake(11, b"\0" + long(chain)) + handshake(12, kex) + handshake(14, b""))


def finish12():
    return b"\x14\3\3\0\1\1\x16\3\3\0\x28\xa5" + R.randbytes(39)


def answer12_resumed(session):
    new = struct.pack("!I", 7200) + long(R.randbytes(192))
    return (answer(session, 0xC02F, ext(0xFF01, b"\0"), ext(35, b""), ext(16, long(short(b"h2")))) +
            handshake(4, new) + finish12())


def end13():
    yield 0, b"\x14\3\3\0\1\1" + data_record(53)


def end12():
    yield 0, handshake(16, short(R.randbytes(32))) + finish12()
    yield 1, finish12()


def end12_resumed():
    yield 0, finish12()


KINDS = ((hybrid, lambda s: answer13(s, HYBRID), end13, 25), (padded, answer13, end13, 15),
         (library, answer13, end13, 15),
         (resumed, lambda s: answer13(s, extra=ext(41, b"\0\0"), flight=120), end13, 15),
         (ticket, answer12_resumed, end12_resumed, 10), (plain, lambda _: answer12(0xC00A), end12, 15),
         (nameless, lambda _: answer12(0xC02B), end12, 5))
WEIGHTS = [k[-1] for k in KINDS]


def connection():
    ask, say, end, _ = R.choices(KINDS, WEIGHTS)[0]
    v6 = R.random() < 0.25
    ends = (address(v6, False, R.randrange(500)), address(v6, True, R.randrange(200)))
    first = ask()
    session = first[44:44 + first[43]]  # behind the record's header, the message's, version and random
    return Tcp(ends, 443).talk((0, first), (1, say(session)), *end())


def main():
    left, ns = int(sys.argv[2]) // 2, 1700000000 * 10**9
    print(left * 2)
    CHAINS.extend([certificate(), certificate()] for _ in range(50))
    running = []
    with open(sys.argv[1], "wb", 1 << 22) as out:
        out.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        while running or left:
            if left and len(running) < AT_ONCE:
                running.append(connection())
                left -= 1
                continue
            i = R.randrange(len(running))
            packet = next(running[i], None)
            if packet is None:
                running.pop(i)
                continue
            ns += R.randrange(20000)
            out.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(packet), len(packet)) + packet)


main()
