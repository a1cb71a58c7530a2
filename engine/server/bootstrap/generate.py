#!/usr/bin/env python3
"""Turns objects.jsonl (one API object a line) into a table of C++ strings.

usage: generate.py OBJECTS.jsonl OUT.cc
"""
import json
import sys

source, target = sys.argv[1:]
with open(source, encoding='utf-8') as handle:
    lines = [line.strip() for line in handle if line.strip()]
for number, line in enumerate(lines, 1):
    json.loads(line)  # a broken line fails the build, not the server's start
    if ')JSON"' in line:
        sys.exit(f'{source}:{number}: cannot be written as a raw string')
with open(target, 'w', encoding='utf-8') as out:
    out.write('// Made by engine/server/bootstrap/generate.py; do not edit.\n')
    out.write('#include "engine/server/bootstrap/bootstrap_table.h"\n\n')
    out.write('namespace orrery::server {\nnamespace {\n\n')
    out.write('constexpr std::string_view kObjects[] = {\n')
    for line in lines:
        out.write(f'    R"JSON({line})JSON",\n')
    out.write('};\n\n}  // namespace\n\n')
    out.write('std::span<const std::string_view> bootstrap_table() { return kObjects; }\n\n')
    out.write('}  // namespace orrery::server\n')
