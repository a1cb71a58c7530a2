"""Flags of `orrery apiserver` that guard a cluster: what is written where, and who may ask how much.

usage: security_flags_test.py PATH_OF_orrery
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

from served import Cluster, Server, read

SECRETS = '/api/v1/namespaces/default/secrets'
KEYS = {'one': base64.b64encode(b'1' * 32).decode(), 'two': base64.b64encode(b'2' * 16).decode()}


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class Guarded(Cluster):
    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as out:
            out.write(text)
        return path

    def post(self, server, path, body, token='admin-token'):
        return server.get(path, token, 'POST', json.dumps(body).encode())


class Encryption(Guarded):
    def config(self, *keys, identity=False):
        named = ''.join('      - {name: %s, secret: %s}\n' % (key, KEYS[key]) for key in keys)
        return self.file('encryption.yaml', 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n'
                         '  providers:\n  - aesgcm:\n      keys:\n' + named + ('  - identity: {}\n' if identity else ''))

    def values(self, *etcd):
        """All that is at rest."""
        if etcd:
            return subprocess.run(['etcdctl', '--endpoints', *etcd, 'get', '/registry/secrets/', '--prefix', '--print-value-only'], check=True,
                                  capture_output=True).stdout
        data = b''
        for name in os.listdir(os.path.join(self.folder, 'data')):
            if name.startswith('state.db'):
                with open(os.path.join(self.folder, 'data', name), 'rb') as handle:
                    data += handle.read()
        return data

    def check(self, *etcd):
        store = ('--etcd-servers', *etcd) if etcd else ()
        start = lambda *keys, **more: Server(self.folder, *store, '--encryption-provider-config', self.config(*keys, **more))
        server = start('one')
        self.assertEqual(self.post(server, SECRETS, {'metadata': {'name': 'old'}, 'stringData': {'a': 'classified'}})[0], 201)
        self.assertEqual(server.stop(), 0)
        self.assertIn(b'k8s:enc:aesgcm:v1:one:', self.values(*etcd))
        self.assertNotIn(b'classified', self.values(*etcd))
        server = start('two', 'one')  # the keys are rotated
        self.assertEqual(self.post(server, SECRETS, {'metadata': {'name': 'new'}, 'stringData': {'a': 'restricted'}})[0], 201)
        self.assertIn(b'Y2xhc3NpZmllZA', server.get(SECRETS + '/old', 'admin-token')[1])
        self.assertEqual(server.stop(), 0)
        self.assertIn(b'k8s:enc:aesgcm:v1:two:', self.values(*etcd))
        server = start('two')  # too early
        self.assertEqual(server.get(SECRETS + '/new', 'admin-token')[0], 200)
        code, body = server.get(SECRETS + '/old', 'admin-token')
        self.assertEqual((code, json.loads(body)['reason']), (500, 'InternalError'))
        self.assertIn('no matching key was found', json.loads(body)['message'])
        self.assertEqual(server.get(SECRETS, 'admin-token')[0], 500)
        self.assertEqual(server.get('/api/v1/configmaps', 'admin-token')[0], 200)
        self.assertEqual(server.stop(), 0)
        server = Server(self.folder, *store)  # without the configuration
        self.assertIn('identity transformer tried to read encrypted data', server.get(SECRETS + '/new', 'admin-token')[1].decode())
        self.assertEqual(server.stop(), 0)

    def test_secrets_in_the_embedded_store(self):
        self.check()

    def test_secrets_in_etcd(self):
        if not shutil.which('etcd') or not shutil.which('etcdctl'):
            self.skipTest('no etcd')
        url, peer = ('http://127.0.0.1:%d' % free_port() for _ in range(2))
        etcd = subprocess.Popen(['etcd', '--data-dir', os.path.join(self.folder, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url,
                                 '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', 'default=' + peer],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.check(url)
        finally:
            etcd.terminate()
            etcd.wait()

    def test_what_was_there_before_is_read_with_identity(self):
        server = Server(self.folder)
        self.assertEqual(self.post(server, SECRETS, {'metadata': {'name': 'plain'}})[0], 201)
        self.assertEqual(server.stop(), 0)
        server = Server(self.folder, '--encryption-provider-config', self.config('one', identity=True))
        self.assertEqual(server.get(SECRETS, 'admin-token')[0], 200)
        self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)
