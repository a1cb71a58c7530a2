"""What the suites need that are built with Go."""
import os
import re
import shutil

from apiserver import run, skip

OLDEST_GO = (1, 23)  # what client-go 0.32 and helm 3.17 ask for


def go_environment(**more):
    """The user's environment, without flags for other work and without fetching another Go."""
    return dict(os.environ, GOFLAGS='', GOTOOLCHAIN='local', **more)


def require_go():
    version = run('go', 'env', 'GOVERSION').stdout if shutil.which('go') else ''
    found = re.match(r'go(\d+)\.(\d+)', version)
    if not found or tuple(map(int, found.groups())) < OLDEST_GO:
        skip(f'needs Go {OLDEST_GO[0]}.{OLDEST_GO[1]}, found {version.strip() or "none"}')
