"""client-go at `orrery apiserver`. usage: go_test.py PATH_OF_orrery FOLDER_FOR_MODULES"""
import os
import shutil
import subprocess
import sys
import tempfile

from apiserver import Apiserver, run, skip
from golang import go_environment, require_go

BINARY, MODULES = sys.argv[1:]


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
        tested = subprocess.run(['go', 'test', '-mod=mod', '-count=1', '-v', '.'], cwd=module, env=go_environment(KUBECONFIG=server.kubeconfig))
        ended = server.stop()
    sys.exit(tested.returncode or ended)


if __name__ == '__main__':
    main()
