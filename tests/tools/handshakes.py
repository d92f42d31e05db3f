#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""handshakes.py NETPROBE FILE...: are the round trips of TCP handshakes those that tshark tells?

Those of one SYN, one SYN+ACK and its acknowledgement: tshark measures repeated ones from the first,
its initial_rtt from the last.  Prints how many were compared; status 1 when one differs by more than 1 us.
"""
import json
import subprocess
import sys

SYN, ACK = 2, 16
COLUMNS = ("tcp.stream tcp.flags frame.number tcp.analysis.ack_rtt tcp.analysis.acks_frame "
           "ip.src ipv6.src tcp.srcport ip.dst ipv6.dst tcp.dstport").split()


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout


def ours(netprobe, file):
    """The flow of each two ends that tells of a handshake, or their only one; None: it is not known which."""
    found = {}
    for line in output(netprobe, "-j", "flows", "-r", file).splitlines():
        r = json.loads(line)
        if r["event"]["dataset"] == "flow" and "port" in r["source"] and r["network"]["transport"] == "tcp":
            ends = frozenset((r[e]["ip"], r[e]["port"]) for e in ("source", "destination"))
            found.setdefault(ends, []).append(r)
    for ends, flows in found.items():
        opened = [r for r in flows if "handshake_rtt" in r.get("tcp", {})] or flows
        found[ends] = opened[0] if len(opened) == 1 else None
    return found


def handshakes(file):
    """ends, nanoseconds from SYN to SYN+ACK, and from there to its acknowledgement"""
    command = ["tshark", "-nr", file, "-Y", "tcp", "-T", "fields", "-E", "occurrence=l"]
    streams = {}
    for column in COLUMNS:
        command += ["-e", column]
    for line in output(*command).splitlines():
        c = line.split("\t")
        if c[0] and c[1]:
            streams.setdefault(c[0], []).append(c)
    for v in streams.values():
        kinds = [int(c[1], 16) & (SYN | ACK) for c in v]
        if kinds.count(SYN) != 1 or kinds[:3] != [SYN, SYN | ACK, ACK] or kinds.count(SYN | ACK) != 1:
            continue
        if v[1][4] == v[0][2] and v[2][4] == v[1][2] and v[1][3] and v[2][3]:
            ends = frozenset(((v[0][5] or v[0][6], int(v[0][7])), (v[0][8] or v[0][9], int(v[0][10]))))
            yield (ends, *(round(float(c[3]) * 1e9) for c in v[1:3]))


def main():
    compared = bad = 0
    for file in sys.argv[2:]:
        flows = ours(sys.argv[1], file)
        if not any(r and "handshake_rtt" in r.get("tcp", {}) for r in flows.values()):
            continue
        for ends, there, back in handshakes(file):
            r = flows.get(ends)
            if not r or "tcp" not in r:
                continue
            told = [r.get("tcp", {}).get("handshake_rtt"),
                    *(r[e].get("tcp", {}).get("handshake_rtt") for e in ("destination", "source"))]
            compared += 1
            if any(t is None or abs(t - w) > 1000 for t, w in zip(told, (there + back, there, back))):
                print(f"{file}: {sorted(ends)}: {told}, tshark {[there + back, there, back]}")
                bad += 1
    print(f"# {compared} handshakes, {bad} differ")
    return bad > 0


sys.exit(main())
