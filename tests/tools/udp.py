#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP of both families, for tests/net.
udp.py sink PORT...                         bound to each of these ports, answers nothing
udp.py send ADDRESS PORT TIMES [BYTES]      from one port, 100 bytes each
udp.py ports ADDRESS FIRST LAST TIMES MS    to each port that often, each from a port of its own, MS between ports
udp.py flood ADDRESS FIRST LAST SECONDS     to one port after the other, as fast as it can
"""
import signal
import socket
import sys
import time


def sender(to):
    return socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)


def sink(*ports):
    bound = []
    for port in map(int, ports):
        for family in socket.AF_INET, socket.AF_INET6:
            s = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(("", port))
            bound.append(s)
    signal.pause()


def send(to, port, times, size=100):
    s = sender(to)
    for _ in range(int(times)):
        s.sendto(bytes(int(size)), (to, int(port)))


def ports(to, first, last, times, ms):
    for port in range(int(first), int(last) + 1):
        send(to, port, times)
        time.sleep(int(ms) / 1000)


def flood(to, first, last, seconds):
    s = sender(to)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for port in range(int(first), int(last) + 1):
            s.sendto(bytes(50), (to, port))
            if not port % 64 and time.monotonic() >= end:
                break


globals()[sys.argv[1]](*sys.argv[2:])
