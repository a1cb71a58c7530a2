#!/usr/bin/env python3
"""Makes zones.txt of a folder of compiled time zones ("slim", as in the Python package tzdata).

usage: collect.py ZONEINFO_FOLDER > zones.txt
One zone a line, sorted by name:
  NAME|OFFSET|TIME:OFFSET ...|STANDARD DAYLIGHT MONTH WEEK DAY SECONDS MONTH WEEK DAY SECONDS
the seconds east of UTC at the beginning of 1970, the changes since (seconds since 1970), and the
rule that holds after the last of them, if there is one: the two offsets, when daylight time begins
and when it ends (POSIX's M form, seconds of local time). A second name: NAME|=OTHER NAME.
"""
import os
import re
import struct
import sys


def read_header(data, at):
    return struct.unpack('>4s1s15x6l', data[at:at + 44])


def changes_of(data):
    _, _, isut, isstd, leap, times, types, chars = read_header(data, 0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    _, _, isut, isstd, leap, times, types, chars = read_header(data, at)
    at += 44
    when = struct.unpack(f'>{times}q', data[at:at + times * 8])
    kind = data[at + times * 8:at + times * 9]
    at += times * 9
    offsets = [struct.unpack('>lbb', data[at + 6 * i:at + 6 * i + 6])[0] for i in range(types)]
    at += types * 6 + chars + leap * 12 + isstd + isut
    first, changes = offsets[0], []
    for moment, number in zip(when, kind):
        if moment <= 0:
            first = offsets[number]
        else:  # one that changes nothing may say from when on the rule holds
            changes.append((moment, offsets[number]))
    return first, changes, data[at:].decode().strip()


def seconds(text):
    sign = -1 if text.startswith('-') else 1
    parts = [int(part) for part in text.lstrip('+-').split(':')]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1)))


def rule_of(footer):
    name, offset = r'(?:<[^>]+>|[A-Za-z]+)', r'([-+]?[\d:]+)'
    match = re.fullmatch(f'{name}{offset}(?:{name}{offset}?,(.+),(.+))?', footer)
    if not match.group(3):
        return ''
    standard = -seconds(match.group(1))
    out = [standard, -seconds(match.group(2)) if match.group(2) else standard + 3600]
    for date in match.group(3, 4):
        month, week, day, at = re.fullmatch(r'M(\d+)\.(\d+)\.(\d+)(?:/(.+))?', date).groups()
        out += [int(month), int(week), int(day), seconds(at) if at else 7200]
    return ' '.join(map(str, out))


def main(folder):
    known, lines = {}, {}
    names = []
    for where, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(where, file), folder) for file in files]
    for name in sorted(names, key=lambda n: n.encode()):
        with open(os.path.join(folder, name), 'rb') as handle:
            data = handle.read()
        if data[:4] != b'TZif':
            continue
        if data in known:
            lines[name] = f'={known[data]}'
            continue
        known[data] = name
        first, changes, footer = changes_of(data)
        lines[name] = f"{first}|{' '.join(f'{t}:{o}' for t, o in changes)}|{rule_of(footer)}"
    for name, line in lines.items():
        print(f'{name}|{line}')


main(sys.argv[1])
