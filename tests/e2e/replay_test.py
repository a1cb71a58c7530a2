"""Recorded requests to a real kube-apiserver, replayed against `orrery apiserver`.

usage: replay_test.py PATH_OF_orrery MIN_PERCENT [--etcd] [REPLAY_ARGUMENT...]

The state is kept by the embedded store, with --etcd by an etcd that the test starts. The recordings
and their player are taken from ORRERY_VECTORS (default ../shared/vectors); without them, or without
an etcd where it is asked for, the test is skipped (exit 77).
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from etcd_cluster import EtcdCluster

BINARY, MIN_PERCENT, ARGUMENTS = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
VECTORS = os.path.abspath(os.path.join(os.environ.get('ORRERY_VECTORS', '../shared/vectors'), 'apiserver'))


def replay(player, folder, store_flags, arguments):
    server = subprocess.Popen(
        [BINARY, 'apiserver', '--data-dir', folder, '--secure-port', '0', '--token-auth-file', os.path.join(VECTORS, 'tokens.csv'),
         '--authorization-mode', 'Node,RBAC', '--anonymous-auth=true', '--service-cluster-ip-range', '10.96.0.0/16',
         '--service-account-issuer', 'https://kubernetes.default.svc', *store_flags], stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())['url']
        kubectl = shutil.which('kubectl') or ''
        return subprocess.run([sys.executable, player, '--server', url, '--kubectl', kubectl, '--min', MIN_PERCENT, '-q', *arguments],
                              timeout=1500).returncode
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def main():
    player = os.path.join(VECTORS, 'replay.py')
    if not os.path.exists(player):
        print('no recordings in', VECTORS)
        return 77
    on_etcd = '--etcd' in ARGUMENTS
    if on_etcd and not EtcdCluster.available():
        print('etcd is not installed')
        return 77
    arguments = [argument for argument in ARGUMENTS if argument != '--etcd']
    folder = tempfile.mkdtemp()
    etcd = None
    try:
        if on_etcd:
            etcd = EtcdCluster(folder)
        return replay(player, os.path.join(folder, 'data'), ['--etcd-servers', etcd.endpoints] if etcd else [], arguments)
    finally:
        if etcd:
            etcd.stop()
        shutil.rmtree(folder)


if __name__ == '__main__':
    sys.exit(main())
