#!/usr/bin/env python3
"""House rules as tests.

usage: lint.py includes|words|functions|files ROOT
       lint.py symbols ROOT BUILD_DIR
"""
import os
import re
import subprocess
import sys

CODE_FOLDERS = ('engine', 'sim', 'models', 'traces', 'realmode', 'pybind', 'tests')
# The folders of the first level, and the only other files beside them.
TOP_FOLDERS = {'engine', 'sim', 'models', 'realmode', 'traces', 'pybind', 'notebooks', 'tests'}
TOP_FILES = {'README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'LICENSE', 'CMakeLists.txt',
             'CMakePresets.json', 'pyproject.toml', 'dev'}
FUNCTION_LINES_MAX = 70
BANNED_WORDS = [
    (r'\bis_?[Ss]imulated\b', 'engine code must not know which world it runs in'),
    (r'\.\./shared', 'only tests and benchmarks may read the recorded vectors'),
]
WORDS_ALLOWED = ('tests/', 'README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md')


def tracked(root):
    out = subprocess.run(['git', '-C', root, 'ls-files'], capture_output=True, text=True, check=True)
    return [f for f in out.stdout.splitlines() if os.path.exists(os.path.join(root, f))]


def code(root):
    return [f for f in tracked(root) if f.endswith(('.h', '.cc')) and f.startswith(CODE_FOLDERS)]


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as handle:
        return handle.read()


def load_rules(root):
    rules = {}
    for line in read(root, 'tests/lint/include_directions.txt').splitlines():
        line = line.split('#')[0].strip()
        if line:
            folder, _, allowed = line.partition(':')
            rules[folder] = [folder] + allowed.split()
    return rules


def within(path, folder):
    return path == folder or path.startswith(folder + '/')


def check_includes(root):
    rules, problems = load_rules(root), []
    for path in code(root):
        folder = max((f for f in rules if within(path, f)), key=len, default=None)
        if folder is None:
            problems.append(f'{path}: no rule in include_directions.txt')
            continue
        for number, line in enumerate(read(root, path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match and not any(within(match.group(1), a) for a in rules[folder]):
                problems.append(f'{path}:{number}: {folder} must not include {match.group(1)}')
    return problems


def check_words(root):
    problems = []
    for path in code(root):
        for number, line in enumerate(read(root, path).splitlines(), 1):
            for pattern, why in BANNED_WORDS:
                if re.search(pattern, line) and not path.startswith(WORDS_ALLOWED):
                    problems.append(f'{path}:{number}: {why}')
    return problems


def strip(text):
    """Blanks comments, strings and character literals; keeps line breaks."""
    pattern = r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r'[^\n]', ' ', m.group(0)), text, flags=re.S)


def functions(text):
    """(first line, number of lines) of every function body outside other functions."""
    text = re.sub(r'^[ \t]*#.*?(?<!\\)$', '', strip(text), flags=re.S | re.M)
    scopes, head, line = [], '', 1
    for char in text:
        if char == '\n':
            line += 1
        if char == '{':
            in_function = any(kind == 'function' for kind, _ in scopes)
            opens_type = re.search(r'\b(namespace|class|struct|enum|union)\b[^()]*$', head)
            is_function = not in_function and not opens_type and ')' in head and '=' not in head.split(')')[-1]
            scopes.append(('function' if is_function else 'other', line))
            head = ''
        elif char == '}':
            if scopes:
                kind, start = scopes.pop()
                if kind == 'function':
                    yield start, line - start + 1
            head = ''
        elif char == ';':
            head = ''
        else:
            head += char


def check_functions(root):
    problems = []
    for path in code(root):
        for start, length in functions(read(root, path)):
            if length > FUNCTION_LINES_MAX:
                problems.append(f'{path}:{start}: function of {length} lines (max {FUNCTION_LINES_MAX})')
    return problems


def check_files(root):
    problems = []
    for path in tracked(root):
        top = path.split('/')[0]
        if '/' in path and top not in TOP_FOLDERS and not top.startswith('.'):
            problems.append(f'{path}: unknown top-level folder')
        if '/' not in path and path not in TOP_FILES and not path.startswith('.'):
            problems.append(f'{path}: unknown top-level file')
        if path.endswith('.h') and path.startswith(CODE_FOLDERS) and '#pragma once' not in read(root, path):
            problems.append(f'{path}: no #pragma once')
        if path.endswith(('.h', '.cc')) and not re.fullmatch(r'[a-z0-9_]+\.(h|cc)', os.path.basename(path)):
            problems.append(f'{path}: file names are snake_case')
    return problems


def check_symbols(root, build):
    banned = [re.compile(line.strip()) for line in read(root, 'tests/lint/banned_symbols.txt').splitlines()
              if line.strip() and not line.startswith('#')]
    problems, libraries = [], []
    for part in ('engine', 'models', 'sim', 'traces'):
        for folder, _, names in os.walk(os.path.join(build, part)):
            libraries += [os.path.join(folder, n) for n in names if n.endswith('.a')]
    if not libraries:
        return [f'{build}: no libraries to look into']
    for library in sorted(libraries):
        out = subprocess.run(['nm', '-C', '--undefined-only', library], capture_output=True, text=True,
                             check=True).stdout
        member = ''
        for line in out.splitlines():
            if line.endswith(':'):
                member = line[:-1]
            symbol = line.strip().removeprefix('U ').split('@')[0].strip()
            if line.strip().startswith('U ') and any(b.search(symbol) for b in banned):
                problems.append(f'{os.path.basename(library)}({member}): {symbol}')
    return problems


def main():
    checks = {'includes': check_includes, 'words': check_words, 'functions': check_functions,
              'files': check_files, 'symbols': check_symbols}
    if len(sys.argv) < 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    problems = checks[sys.argv[1]](*sys.argv[2:])
    for problem in problems:
        print(problem)
    print(f'{sys.argv[1]}: {len(problems)} problems')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
