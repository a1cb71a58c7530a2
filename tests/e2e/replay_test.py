"""Recorded requests to a real kube-apiserver, replayed against `orrery apiserver`.

usage: replay_test.py PATH_OF_orrery MIN_PERCENT [REPLAY_ARGUMENT...]

The recordings and their player are taken from ORRERY_VECTORS (default ../shared/vectors); without
them the test is skipped (exit 77).
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

BINARY, MIN_PERCENT, ARGUMENTS = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
VECTORS = os.path.abspath(os.path.join(os.environ.get('ORRERY_VECTORS', '../shared/vectors'), 'apiserver'))


def main():
    player = os.path.join(VECTORS, 'replay.py')
    if not os.path.exists(player):
        print('no recordings in', VECTORS)
        return 77
    folder = tempfile.mkdtemp()
    server = subprocess.Popen(
        [BINARY, 'apiserver', '--data-dir', folder, '--secure-port', '0', '--token-auth-file', os.path.join(VECTORS, 'tokens.csv'),
         '--authorization-mode', 'Node,RBAC', '--anonymous-auth=true', '--service-cluster-ip-range', '10.96.0.0/16',
         '--service-account-issuer', 'https://kubernetes.default.svc'], stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())['url']
        kubectl = shutil.which('kubectl') or ''
        return subprocess.run([sys.executable, player, '--server', url, '--kubectl', kubectl, '--min', MIN_PERCENT, '-q', *ARGUMENTS],
                              timeout=1500).returncode
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
        shutil.rmtree(folder)


if __name__ == '__main__':
    sys.exit(main())
