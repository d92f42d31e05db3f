#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""openmetrics.py [-m]: is standard input an exposition of OpenMetrics 1.0 (-m: one or several, one behind the other)?

Stricter than the specification where netprobe is: all samples belong to a family with TYPE, HELP and, in bytes,
UNIT, in this order; no timestamps, no exemplars, no blanks but those that must be."""
import re
import sys

NAME = re.compile(r'[a-z_][a-z0-9_]*\Z')
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([0-9]+)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
ESCAPED = re.compile(r'(?:[^"\\\n]|\\["\\n])*\Z')


class Wrong(Exception):
    pass


def want(what, why):
    if not what:
        raise Wrong(why)


def labels_of(text):
    found = {}
    want(text != '', 'empty braces')
    at = 0
    while at < len(text):
        m = LABEL.match(text, at)
        want(m, 'labels')
        want(m.group(1) not in found, 'a label twice')
        want(not m.group(1).startswith('__') and m.group(2) != '', 'a label that is reserved or empty')
        found[m.group(1)] = m.group(2)
        at = m.end()
        want(m.group(3) == '' or at < len(text), 'a comma at the end')
    return tuple(sorted(found.items()))


class Family:
    def __init__(self, name):
        self.name, self.kind, self.unit, self.help, self.samples = name, None, None, None, set()


def metadata(line, family, seen):
    parts = line.split(' ', 3)
    want(len(parts) == 4 and parts[1] in ('TYPE', 'UNIT', 'HELP'), 'a comment that is none')
    _, word, name, rest = parts
    want(NAME.match(name), 'the name of a family')
    if word == 'TYPE':
        want(name not in seen, 'a family twice')
        want(rest in ('counter', 'gauge'), 'a type')
        want(family is None or family.samples, 'a family without samples')
        want(family is None or family.help is not None, 'a family without HELP')
        want(not re.search(r'_(total|created|count|sum|bucket)\Z', name), 'a suffix that is reserved')
        seen.add(name)
        family = Family(name)
        family.kind = rest
        return family
    want(family is not None and family.name == name and not family.samples, 'metadata out of its place')
    if word == 'UNIT':
        want(family.unit is None and family.help is None, 'UNIT twice, or behind HELP')
        want(rest and name.endswith('_' + rest), 'a unit that does not end the name')
        family.unit = rest
    else:
        want(family.help is None and rest and ESCAPED.match(rest), 'HELP')
        family.help = rest
    return family


def sample(line, family):
    m = SAMPLE.match(line)
    want(m, 'a sample')
    want(family is not None and family.help is not None, 'a sample without metadata')
    want(m.group(1) == family.name + ('_total' if family.kind == 'counter' else ''), 'a sample of another family')
    want(not family.name.endswith('_bytes') or family.unit == 'bytes', 'bytes without UNIT')
    labels = labels_of(m.group(2)) if m.group(2) is not None else ()
    want(labels not in family.samples, 'a sample twice')
    family.samples.add(labels)


def check(data, many):
    text = data.decode('utf-8')
    want(text.endswith('# EOF\n'), 'no # EOF at the end')
    family, seen, ended = None, set(), 0
    for number, line in enumerate(text[:-1].split('\n'), 1):
        try:
            want(many or not ended, 'something behind # EOF')
            if line == '# EOF':
                want(family is None or (family.samples and family.help is not None), 'a family without samples')
                family, seen, ended = None, set(), ended + 1
            elif line.startswith('#'):
                family = metadata(line, family, seen)
            else:
                sample(line, family)
        except Wrong as e:
            raise Wrong('line %d: %s: %r' % (number, e, line)) from None
    return ended


if __name__ == '__main__':
    try:
        print(check(sys.stdin.buffer.read(), sys.argv[1:] == ['-m']))
    except (Wrong, UnicodeDecodeError) as e:
        sys.exit('openmetrics: %s' % e)
