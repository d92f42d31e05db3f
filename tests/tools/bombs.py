#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""F2: traffic made to hurt costs bounded memory (64 MiB) and linear time, and what is lost is told."""
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
netprobe = os.environ.get('NETPROBE', os.path.join(top, 'build', 'netprobe'))
mkbomb = os.path.join(top, 'tests', 'tools', 'mkbomb.py')
MEMORY = 64 << 20
LESS = {'tcp_storm': 32 << 20}
STREAM_CONNECTIONS = 16384
# Another kind that is the same number of frames as they should come: at most twice its time.
CLEAN = {'tcp_reversed': 'tcp_bytes', 'tcp_every_other': 'tcp_bytes', 'tcp_overlap': 'tcp_segments',
         'tcp_hole_acks': 'tcp_acks'}
# What must be told of each, besides; where nothing stands the bomb may pass without a loss.
TOLD = {'syns': ['half_open_evicted'], 'half_open': ['stream_memory_full'],
        'tcp_storm': ['half_open_evicted', 'stream_memory_full', 'gap', 'conflict'], 'tcp_every_other': ['gap'],
        'frag_tiny': ['fragment_table_full'], 'frag_pieces': ['fragment_memory_full']}
# What must not be told: what is held is little.
NOT_TOLD = {'tcp_far': ['stream_memory_full'], 'frag_tiny': ['fragment_memory_full']}


def accounts(kind, n, told):
    """What of n is told must add up to, as far as it is known beforehand; the sentence that does not hold."""
    if kind != 'tcp_storm':
        return
    # Half of them say something, and lack a byte, unless they are forgotten; the rest have not said a word.
    kept = told['gap'] + n // 2 - told['half_open_evicted']
    if told['conflict'] != n // 2:
        yield f"{told['conflict']} conflicts are told, not {n // 2}"
    if told['stream_table_full'] + told['stream_memory_full'] + told['gap'] != n // 2:
        yield f'connections are neither told as lost nor have a gap: {dict(told)}'
    if kept > STREAM_CONNECTIONS:
        yield f'{kept} connections were kept, or were lost without a word'


def run(path, out):
    """CPU seconds and bytes of memory of one reading."""
    pid = os.fork()
    if not pid:
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, 1)
        os.dup2(os.open(out + '.err', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execv(netprobe, [netprobe, '-q', '-j', 'watch', '--proto', 'all', '-r', path])
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f'{path}: status {status}: ' + open(out + '.err').read()[-500:])
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def lost(out):
    """What was lost, by reason."""
    told = collections.Counter()
    with open(out, encoding='utf-8') as lines:
        for record in (json.loads(line)['lost'] for line in lines if '"dataset":"lost"' in line):
            told[record['reason']] += record['count']
    return told


def compare(kind, n, work, failures):
    """The time of a kind to that of its clean one."""
    paths = {k: os.path.join(work, f'{k}.{n}') for k in (kind, CLEAN[kind])}
    for k, path in paths.items():
        if not os.path.exists(path):
            subprocess.run([sys.executable, mkbomb, k, str(n), path], check=True)
    ratio = 9.0
    for _ in range(4):
        times = {k: min(run(path, os.path.join(work, 'out'))[0] for _ in range(3)) for k, path in paths.items()}
        ratio = min(ratio, times[kind] / max(times[CLEAN[kind]], 0.004))
        if ratio <= 2.0:
            break
    print(f'# {kind}: {ratio:.2f} times the time of {CLEAN[kind]}')
    if ratio > 2.0:
        failures.append(f'{kind}: {ratio:.2f} times the time of {CLEAN[kind]}')


def check(kind, work, failures):
    n = {'syns': 250000, 'half_open': 50000, 'one_byte': 200000, 'http_line': 1000000, 'http_headers': 2000000}.get(kind, 8000000)
    n = {'tcp': 100000, 'frag': 200000}.get(kind.split('_')[0], n)
    n = {'tcp_segments': 50000, 'tcp_overlap': 50000, 'frag_overlap': 50000}.get(kind, n)
    path, out = os.path.join(work, kind), os.path.join(work, 'out')
    for size in (n, 2 * n):
        subprocess.run([sys.executable, mkbomb, kind, str(size), f'{path}.{size}'], check=True)
    run(f'{path}.{n}', out)
    ratio = memory = 0.0
    for _ in range(4):		# another process may take its share of one of them
        one = min(run(f'{path}.{n}', out)[0] for _ in range(3))
        two = [run(f'{path}.{2 * n}', out) for _ in range(3)]
        ratio = min(t for t, _ in two) / max(one, 0.004)
        memory = max(m for _, m in two)
        if ratio <= 2.4:
            break
    told = lost(out)
    print(f'# {kind}: {ratio:.2f} times the time for twice the bytes, {memory >> 20} MiB, told: {" ".join(sorted(told)) or "-"}')
    if ratio > 2.4:
        failures.append(f'{kind}: {ratio:.2f} times the time for twice the bytes')
    if memory > LESS.get(kind, MEMORY):
        failures.append(f'{kind}: {memory >> 20} MiB')
    if kind in CLEAN:
        compare(kind, 2 * n, work, failures)
    failures.extend(f'{kind}: {wrong}' for wrong in accounts(kind, 2 * n, told))
    failures.extend(f'{kind}: {reason} is told' for reason in NOT_TOLD.get(kind, []) if reason in told)
    failures.extend(f'{kind}: {reason} is not told' for reason in TOLD.get(kind, []) if reason not in told)
    os.unlink(f'{path}.{n}')
    os.unlink(f'{path}.{2 * n}')


def main():
    kinds = sys.argv[1:] or subprocess.run([sys.executable, mkbomb, '--list'], check=True, capture_output=True,
                                           text=True).stdout.split()
    failures = []
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as work:
        for kind in kinds:
            check(kind, work, failures)
    if failures:
        raise SystemExit('\n'.join(failures))


main()
