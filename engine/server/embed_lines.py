#!/usr/bin/env python3
"""Turns a file of one JSON value a line into a table of C++ strings.

usage: embed_lines.py LINES.jsonl OUT.cc HEADER FUNCTION
  HEADER declares `std::span<const std::string_view> FUNCTION();` in namespace orrery::server.
"""
import json
import sys

source, target, header, function = sys.argv[1:]
with open(source, encoding='utf-8') as handle:
    lines = [line.strip() for line in handle if line.strip()]
for number, line in enumerate(lines, 1):
    json.loads(line)  # a broken line fails the build, not the server's start
    if ')JSON"' in line:
        sys.exit(f'{source}:{number}: cannot be written as a raw string')
with open(target, 'w', encoding='utf-8') as out:
    out.write('// Made by engine/server/embed_lines.py; do not edit.\n')
    out.write(f'#include "{header}"\n\n')
    out.write('namespace orrery::server {\nnamespace {\n\n')
    out.write('constexpr std::string_view kLines[] = {\n')
    for line in lines:
        out.write(f'    R"JSON({line})JSON",\n')
    out.write('};\n\n}  // namespace\n\n')
    out.write(f'std::span<const std::string_view> {function}() {{ return kLines; }}\n\n')
    out.write('}  // namespace orrery::server\n')
