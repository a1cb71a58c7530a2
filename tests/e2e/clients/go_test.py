"""client-go at `orrery apiserver`. usage: go_test.py PATH_OF_orrery FOLDER_FOR_MODULES"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from apiserver import Apiserver, run, skip

BINARY, MODULES = sys.argv[1:]
OLDEST_GO = (1, 23)  # what client-go 0.32 asks for


def go_environment():
    """Go's own flags, apart from what the user has set for other work."""
    return dict(os.environ, GOFLAGS='-mod=mod', GOTOOLCHAIN='local')


def require_go():
    version = run('go', 'env', 'GOVERSION').stdout if shutil.which('go') else ''
    found = re.match(r'go(\d+)\.(\d+)', version)
    if not found or tuple(map(int, found.groups())) < OLDEST_GO:
        skip(f'needs Go {OLDEST_GO[0]}.{OLDEST_GO[1]}, found {version.strip() or "none"}')


def main():
    require_go()
    # Not in the source tree: go may write to go.sum.
    module = os.path.join(os.path.abspath(MODULES), 'go')
    shutil.copytree(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'go'), module, dirs_exist_ok=True)
    fetched = run('go', 'mod', 'download', cwd=module, env=go_environment(), timeout=600)
    if fetched.returncode != 0:
        skip('the modules cannot be fetched: ' + fetched.stderr)
    with tempfile.TemporaryDirectory() as folder:
        server = Apiserver(BINARY, folder)
        tested = subprocess.run(['go', 'test', '-count=1', '-v', '.'], cwd=module, env=dict(go_environment(), KUBECONFIG=server.kubeconfig))
        ended = server.stop()
    sys.exit(tested.returncode or ended)


if __name__ == '__main__':
    main()
