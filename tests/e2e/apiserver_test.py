"""`orrery apiserver` as a user starts it: flags, keys, kubectl, restarts, the end.

usage: apiserver_test.py PATH_OF_orrery
"""
import base64
import hashlib
import json
import os
import re
import signal
import sqlite3
import ssl
import stat
import subprocess
import sys
import time
import unittest

from api_process import ApiProcess, Client
from past import PIECE, ROUND, Past, churn
from served import BINARY, Cluster, Connection, Server, read, websocket_message


class Apiserver(Cluster):
    def test_keys_are_made_and_kept_secret(self):
        server = Server(self.folder)
        for name in ('pki/ca.key', 'pki/apiserver.key', 'pki/admin.key', 'pki/sa.key', 'admin.conf'):
            self.assertEqual(stat.S_IMODE(os.stat(server.path(name)).st_mode), 0o600, name)
        subjects = subprocess.run(['openssl', 'x509', '-in', server.path('pki/apiserver.crt'), '-noout', '-ext', 'subjectAltName'],
                                  capture_output=True, text=True).stdout
        for name in ('DNS:kubernetes.default.svc.cluster.local', 'DNS:localhost', 'IP Address:127.0.0.1', 'IP Address:10.0.0.1'):
            self.assertIn(name, subjects)
        self.assertEqual(server.stop(), 0)

    def test_who_asks_decides(self):
        server = Server(self.folder)
        self.assertEqual(server.get('/api/v1/namespaces')[0], 401)
        self.assertEqual(server.get('/api/v1/namespaces', 'nonsense')[0], 401)
        self.assertEqual(server.get('/api/v1/namespaces', 'alice-token')[0], 403)
        code, body = server.get('/api/v1/namespaces', 'admin-token')
        self.assertEqual(code, 200)
        self.assertIn('kube-system', [item['metadata']['name'] for item in json.loads(body)['items']])
        self.assertEqual(server.stop(signal.SIGINT), 0)

    def test_kubectl_works_and_state_outlives_the_process(self):
        server = Server(self.folder)
        done = self.kubectl(server, 'create', 'configmap', 'kept', '--from-literal=a=b')
        self.assertEqual(done.returncode, 0, done.stderr)
        config = read(server.path('admin.conf'))
        self.assertEqual(server.stop(signal.SIGKILL), -signal.SIGKILL)
        server = Server(self.folder)
        done = self.kubectl(server, 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')
        self.assertEqual(done.stdout, 'b', done.stderr)
        data = lambda text: re.search('client-certificate-data: (.*)', text)[1]
        self.assertEqual(data(config), data(read(server.path('admin.conf'))))
        watch = subprocess.Popen(['kubectl', '--kubeconfig', server.path('admin.conf'), 'get', 'configmaps', '-w'], stdout=subprocess.PIPE, text=True)
        watch.stdout.readline()
        self.assertEqual(server.stop(), 0)
        watch.terminate()
        watch.stdout.close()
        watch.wait()

    def test_a_watch_goes_over_websocket(self):
        server = Server(self.folder)
        path = '/api/v1/namespaces/default/configmaps'
        connection = Connection(server)
        head = connection.websocket(path + '?watch=true&fieldSelector=metadata.name%3Da', 'any')
        self.assertIn('101 Switching Protocols', head)
        self.assertIn('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=', head.lower())
        for name in ('a', 'b'):
            self.assertEqual(server.get(path, 'admin-token', 'POST', json.dumps({'metadata': {'name': name}}).encode())[0], 201)
        self.assertEqual(server.get(path + '/a', 'admin-token', 'DELETE')[0], 200)
        kinds = []
        for _ in range(2):
            opcode, event = connection.message()
            self.assertEqual((opcode, json.loads(event)['object']['metadata']['name']), (1, 'a'))
            kinds.append(json.loads(event)['type'])
        self.assertEqual(kinds, ['ADDED', 'DELETED'])
        connection.sock.sendall(websocket_message(b'hello?', 9) + websocket_message(b'', 8))
        self.assertEqual([connection.message(), connection.message()], [(10, b'hello?'), (8, b'\x03\xe8')])
        with self.assertRaises(EOFError):
            connection.more()
        connection.close()
        self.assertEqual(server.stop(), 0)

    def test_given_certificates_and_keys_are_used(self):
        file = lambda name: os.path.join(self.folder, name)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', file('k'), '-out', file('c'), '-days', '2',
                        '-subj', '/CN=mine', '-addext', 'subjectAltName=IP:127.0.0.1'], check=True, capture_output=True)
        server = Server(self.folder, '--tls-cert-file', file('c'), '--tls-private-key-file', file('k'),
                        '--service-account-signing-key-file', file('k'), '--service-account-key-file', file('c'),
                        '--client-ca-file', file('c'))
        port = int(server.url.rsplit(':', 1)[1])
        self.assertEqual(ssl.get_server_certificate(('127.0.0.1', port)).strip(), read(file('c')).strip())
        self.assertEqual(server.stop(), 0)

    def test_a_second_server_on_the_same_folder_is_refused(self):
        server = Server(self.folder)
        done = subprocess.run([BINARY, 'apiserver', '--data-dir', server.path(), '--secure-port', '0'], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('state.db', done.stderr)
        self.assertEqual(server.stop(), 0)

    def test_wrong_flags_are_exit_2_and_leave_nothing(self):
        file = os.path.join(self.folder, 'bad')
        with open(file, 'w') as out:
            out.write('only,two\n')
        cases = {
            ('--authorization-mode=Magic',): 'authorization-mode',
            ('--secure-port=99999',): 'secure-port',
            ('--secure-port=x',): 'secure-port',
            ('--service-cluster-ip-range=10.0.0.1/24',): 'service-cluster-ip-range',
            ('--enable-admission-plugins=Nope',): 'Nope',
            ('--encryption-provider-config=' + file,): 'encryption-provider-config',
            ('--admission-control-config-file=' + file,): 'admission-control-config-file',
            ('--token-auth-file=' + file,): 'line 1',
            ('--token-auth-file=/nowhere',): '/nowhere',
            ('--anonymous-auth=perhaps',): 'anonymous-auth',
            ('--kubelet-client-certificate=' + file,): 'kubelet-client-key',
            ('--kubelet-preferred-address-types=InternalIP,Phone',): 'Phone',
            ('--etcd-compaction-interval=-1s',): 'etcd-compaction-interval',
            ('--no-such-flag',): 'no-such-flag',
        }
        for args, expected in cases.items():
            with self.subTest(args):
                done = subprocess.run([BINARY, 'apiserver', '--data-dir', os.path.join(self.folder, 'data'), *args], capture_output=True,
                                      text=True, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
                self.assertIn(expected, done.stderr)
                self.assertFalse(os.path.exists(os.path.join(self.folder, 'data')))
        # These need the folder before they can fail.
        for args, expected in ((('--client-ca-file=' + file,), 'client CA'), (('--tls-cert-file', file, '--tls-private-key-file', file), 'TLS certificate'),
                               (('--service-account-signing-key-file=' + file,), 'key'),
                               (('--kubelet-certificate-authority=' + file,), 'kubelets'), (('--etcd-servers=nonsense://x',), 'etcd-servers')):
            with self.subTest(args):
                done = subprocess.run([BINARY, 'apiserver', '--data-dir', os.path.join(self.folder, 'data'), '--secure-port=0', *args],
                                      capture_output=True, text=True, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
                self.assertIn(expected, done.stderr)


class Compaction(Cluster):
    """The embedded store forgets its past."""

    def start(self, interval):
        self.server = ApiProcess(BINARY, self.folder, '--etcd-compaction-interval', interval)
        self.client = Client([self.server.port])

    def stop(self):
        self.client.close()
        self.assertEqual(self.server.stop(), 0)

    def state(self):
        return os.path.join(self.folder, 'data', 'state.db')

    def test_the_past_is_kept_until_it_is_compacted(self):
        self.start('0')
        past = Past(self, self.client)
        past.expect_kept(self.client)
        self.assertEqual(past.watch(self.client)['type'], 'DELETED')
        self.stop()
        self.start('0')
        past.expect_kept(self.client)
        self.stop()
        self.start('1s')
        past.wait_until_forgotten(self.client)
        past.expect_forgotten(self.client)
        past.expect_no_watch(self.client)
        self.stop()
        self.start('0')
        past.expect_forgotten(self.client)
        self.stop()

    def test_the_file_does_not_grow_with_what_is_forgotten(self):
        self.start('1s')
        Past(self, self.client)
        sizes = []
        churn(self, self.client, 5, lambda: sizes.append(os.path.getsize(self.state())))
        self.assertGreater(sizes[0], ROUND * PIECE / 2, sizes)
        self.stop()
        self.assertLess(os.path.getsize(self.state()), 3 * ROUND * PIECE, sizes)
        with sqlite3.connect(self.state()) as file:
            key = '/registry/configmaps/past/m0'
            versions, = file.execute('SELECT count(*) FROM versions WHERE key = ?', (key.encode(),)).fetchone()
        file.close()
        self.assertLess(versions, ROUND)


NODE = """
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
 "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]}}"""


class Up(Cluster):
    """The scheduler and the controllers in the same process."""

    def until(self, check, what, limit=30):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = check()
            if found:
                return found
            time.sleep(0.2)
        raise AssertionError('not within %s s: %s' % (limit, what))

    def pods(self, server):
        out = self.kubectl(server, 'get', 'pods', '-o', 'json')
        return json.loads(out.stdout)['items'] if out.returncode == 0 else []

    def test_a_deployment_becomes_pods_on_a_node_and_state_is_kept(self):
        server = Server(self.folder, command=['up', '--control-plane-only', '--etcd-compaction-interval', '1m'])
        with open(os.path.join(self.folder, 'node.json'), 'w') as out:
            out.write(NODE)
        made = self.kubectl(server, 'create', '--validate=false', '-f', os.path.join(self.folder, 'node.json'))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.until(lambda: self.kubectl(server, 'get', 'serviceaccount', 'default').returncode == 0, 'service account default')
        made = self.kubectl(server, 'create', 'deployment', 'web', '--image=app:1', '--replicas=3')
        self.assertEqual(made.returncode, 0, made.stderr)
        placed = lambda: len([p for p in self.pods(server) if p['spec'].get('nodeName') == 'n1']) == 3
        self.until(placed, 'three pods on n1')
        ready = self.kubectl(server, 'get', '--raw', '/readyz?verbose')
        self.assertTrue(ready.stdout.endswith('readyz check passed\n'), ready)
        components = json.loads(self.kubectl(server, 'get', '--raw', '/api/v1/componentstatuses').stdout)['items']
        self.assertEqual([one['conditions'][0]['status'] for one in components], ['True'] * 3, components)
        metrics = self.kubectl(server, 'get', '--raw', '/metrics').stdout
        self.assertGreater(float(re.search(r'(?m)^process_resident_memory_bytes (\S+)$', metrics)[1]), 1e6)
        self.assertGreater(float(re.search(r'(?m)^process_open_fds (\S+)$', metrics)[1]), 5)
        self.assertLess(abs(float(re.search(r'(?m)^process_start_time_seconds (\S+)$', metrics)[1]) - time.time()), 3600)
        self.assertEqual(server.stop(), 0)
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.assertTrue(placed())
        scaled = self.kubectl(server, 'scale', 'deployment', 'web', '--replicas=5')
        self.assertEqual(scaled.returncode, 0, scaled.stderr)
        self.until(lambda: len(self.pods(server)) == 5, 'five pods')
        self.assertEqual(server.stop(), 0)

    def names(self, server, what, *args):
        out = self.kubectl(server, 'get', what, '-o', 'name', *args)
        self.assertEqual(out.returncode, 0, out.stderr)
        return out.stdout.split()

    def do(self, server, *args):
        out = self.kubectl(server, *args)
        self.assertEqual(out.returncode, 0, out.stderr)
        return out.stdout

    def apply(self, server, manifest):
        path = os.path.join(self.folder, 'manifest.json')
        with open(path, 'w') as out:
            json.dump(manifest, out)
        self.do(server, 'apply', '-f', path)

    def define_widgets(self, server):
        names = {'plural': 'widgets', 'singular': 'widget', 'kind': 'Widget'}
        schema = {'type': 'object', 'x-kubernetes-preserve-unknown-fields': True}
        self.apply(server, {
            'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', 'metadata': {'name': 'widgets.example.com'},
            'spec': {'group': 'example.com', 'scope': 'Namespaced', 'names': names,
                     'versions': [{'name': 'v1', 'served': True, 'storage': True, 'schema': {'openAPIV3Schema': schema}}]}})
        self.until(lambda: self.kubectl(server, 'get', 'widgets').returncode == 0, 'widgets')

    def test_a_quota_counts_what_is_there_and_gives_back_what_goes(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.define_widgets(server)
        widget = {'apiVersion': 'example.com/v1', 'kind': 'Widget', 'metadata': {'name': 'w'}}
        self.apply(server, widget)
        self.do(server, 'create', 'quota', 'q', '--hard=pods=2,count/widgets.example.com=1')
        used = lambda: json.loads(self.do(server, 'get', 'quota', 'q', '-o', 'json')).get('status', {}).get('used')
        self.until(lambda: used() == {'pods': '0', 'count/widgets.example.com': '1'}, 'the widget to count')
        pod = {'metadata': {'labels': {'app': 'web'}}, 'spec': {'containers': [{'name': 'c', 'image': 'app:1'}]}}
        self.apply(server, {'apiVersion': 'v1', 'kind': 'ReplicationController', 'metadata': {'name': 'web'},
                            'spec': {'replicas': 4, 'selector': {'app': 'web'}, 'template': pod}})
        self.until(lambda: used()['pods'] == '2', 'two pods')
        refused = lambda: 'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2' in self.do(server, 'get', 'events')
        self.until(refused, 'an event of the third')
        self.do(server, 'scale', 'rc', 'web', '--replicas=1')
        self.do(server, 'delete', 'widget', 'w')
        self.until(lambda: used() == {'pods': '1', 'count/widgets.example.com': '0'}, 'what has gone to be given back')
        self.assertEqual(server.stop(), 0)

    def test_a_user_may_do_what_labelled_roles_add_to_view(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.do(server, 'create', 'clusterrolebinding', 'ann', '--clusterrole=view', '--user=ann')
        may = lambda what: self.kubectl(server, 'auth', 'can-i', 'list', what, '--as=ann').stdout.strip()
        self.until(lambda: may('pods') == 'yes', 'view to have rules')
        self.assertEqual(may('leases.coordination.k8s.io'), 'no')
        self.do(server, 'create', 'clusterrole', 'more', '--verb=list', '--resource=leases.coordination.k8s.io')
        self.do(server, 'label', 'clusterrole', 'more', 'rbac.authorization.k8s.io/aggregate-to-view=true')
        self.until(lambda: may('leases.coordination.k8s.io') == 'yes', 'view to grow')
        self.assertEqual(server.stop(), 0)

    def test_a_token_in_a_secret_lives_as_long_as_its_account(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.do(server, 'create', 'serviceaccount', 'robot')
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Secret', 'type': 'kubernetes.io/service-account-token',
                            'metadata': {'name': 'robot', 'annotations': {'kubernetes.io/service-account.name': 'robot'}}})
        data = lambda: json.loads(self.do(server, 'get', 'secret', 'robot', '-o', 'json')).get('data', {})
        self.until(lambda: 'token' in data(), 'a token')
        self.assertEqual(base64.b64decode(data()['ca.crt']).decode(), read(server.path('pki', 'ca.crt')))
        config = json.loads(self.do(server, 'config', 'view', '--raw', '-o', 'json'))
        config['users'] = [{'name': 'robot', 'user': {'token': base64.b64decode(data()['token']).decode()}}]
        config['contexts'][0]['context']['user'] = 'robot'
        path = os.path.join(self.folder, 'robot.json')
        with open(path, 'w') as out:
            json.dump(config, out)
        who = self.kubectl(server, 'auth', 'whoami', '--kubeconfig', path)
        self.assertIn('system:serviceaccount:default:robot', who.stdout, who.stderr)
        self.do(server, 'delete', 'serviceaccount', 'robot')
        self.until(lambda: not self.names(server, 'secrets'), 'the secret to go')
        self.assertNotEqual(self.kubectl(server, 'auth', 'whoami', '--kubeconfig', path).returncode, 0)
        self.assertEqual(server.stop(), 0)

    def test_deleting_an_owner_takes_along_or_leaves_behind_what_it_owns(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        for cascade, left in (('background', 0), ('foreground', 0), ('orphan', 1)):
            self.until(lambda: not self.names(server, 'rs,pods'), 'a clean start')
            self.do(server, 'create', 'deployment', 'web', '--image=app:1', '--replicas=2')
            self.until(lambda: len(self.names(server, 'rs,pods')) == 3, 'a ReplicaSet and two pods')
            self.do(server, 'delete', 'deployment', 'web', '--cascade=' + cascade, '--timeout=20s')
            if cascade == 'foreground':
                self.assertEqual(self.names(server, 'rs,pods'), [])
            self.until(lambda: len(self.names(server, 'rs')) == left, '%d ReplicaSets' % left)
            self.until(lambda: len(self.names(server, 'pods')) == 2 * left, '%d pods' % (2 * left))
        rs = json.loads(self.do(server, 'get', 'rs', '-o', 'json'))['items'][0]
        self.assertNotIn('ownerReferences', rs['metadata'])
        self.assertEqual(server.stop(), 0)

    def test_a_service_leads_to_its_pods(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.apply(server, json.loads(NODE))
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'web', 'labels': {'app': 'web'}},
                            'spec': {'nodeName': 'n1', 'containers': [{'name': 'c', 'image': 'app:1'}]}})
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'web'},
                            'spec': {'selector': {'app': 'web'}, 'ports': [{'port': 80, 'targetPort': 8080}]}})
        subsets = lambda: json.loads(self.do(server, 'get', 'endpoints', 'web', '-o', 'json')).get('subsets', [])
        slices = lambda: json.loads(self.do(server, 'get', 'endpointslices', '-l', 'kubernetes.io/service-name=web', '-o', 'json'))['items']
        self.until(lambda: self.kubectl(server, 'get', 'endpoints', 'web').returncode == 0, 'endpoints')
        self.assertEqual(subsets(), [])
        for ready in ('True', 'False'):
            status = {'phase': 'Running', 'podIP': '10.1.2.3', 'podIPs': [{'ip': '10.1.2.3'}], 'conditions': [{'type': 'Ready', 'status': ready}]}
            self.do(server, 'patch', 'pod', 'web', '--subresource=status', '--type=merge', '-p', json.dumps({'status': status}))
            kept = 'addresses' if ready == 'True' else 'notReadyAddresses'
            self.until(lambda: [s[kept][0]['ip'] for s in subsets() if kept in s] == ['10.1.2.3'], kept)
            told = lambda: [e['conditions']['ready'] for s in slices() for e in s['endpoints'] or []]
            self.until(lambda: told() == [ready == 'True'], 'a slice')
            if ready == 'True':
                self.assertRegex(self.do(server, 'describe', 'service', 'web'), r'Endpoints: +10\.1\.2\.3:8080')
        self.do(server, 'delete', 'service', 'web')
        self.until(lambda: not slices() and self.kubectl(server, 'get', 'endpoints', 'web').returncode != 0, 'both to go')
        token = {'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'expiration': '2020-01-01T00:00:00Z'}
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Secret', 'type': 'bootstrap.kubernetes.io/token', 'stringData': token,
                            'metadata': {'name': 'bootstrap-token-abcdef', 'namespace': 'kube-system'}})
        self.until(lambda: not self.names(server, 'secrets', '-n', 'kube-system'), 'a token that has expired to go')
        self.assertEqual(server.stop(), 0)

    def test_a_claim_is_bound_and_goes_when_the_last_pod_that_uses_it_has_gone(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.apply(server, {'apiVersion': 'v1', 'kind': 'PersistentVolume', 'metadata': {'name': 'disk'},
                            'spec': {'storageClassName': 'slow', 'accessModes': ['ReadWriteOnce'], 'capacity': {'storage': '2Gi'},
                                     'persistentVolumeReclaimPolicy': 'Retain', 'hostPath': {'path': '/data'}}})
        self.do(server, 'wait', 'pv/disk', '--for=jsonpath={.status.phase}=Available', '--timeout=20s')
        self.apply(server, {'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'data'},
                            'spec': {'storageClassName': 'slow', 'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})
        self.do(server, 'wait', 'pvc/data', '--for=jsonpath={.status.phase}=Bound', '--timeout=20s')
        self.assertRegex(self.do(server, 'get', 'pvc', 'data'), r'data +Bound +disk +2Gi +RWO +slow')
        self.apply(server, json.loads(NODE))
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'db'},
                            'spec': {'nodeName': 'n1', 'containers': [{'name': 'c', 'image': 'app:1'}],
                                     'volumes': [{'name': 'v', 'persistentVolumeClaim': {'claimName': 'data'}}]}})
        self.do(server, 'delete', 'pvc', 'data', '--wait=false')
        self.do(server, 'get', 'pvc', 'data')
        self.do(server, 'delete', 'pod', 'db', '--grace-period=0', '--force')
        self.do(server, 'wait', 'pvc/data', '--for=delete', '--timeout=20s')
        self.do(server, 'wait', 'pv/disk', '--for=jsonpath={.status.phase}=Released', '--timeout=20s')
        self.do(server, 'delete', 'pv', 'disk', '--timeout=20s')
        template = {'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}}
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'job'},
                            'spec': {'containers': [{'name': 'c', 'image': 'app:1'}], 'volumes': [{'name': 'v', 'ephemeral': {'volumeClaimTemplate': template}}]}})
        self.until(lambda: 'persistentvolumeclaim/job-v' in self.names(server, 'pvc'), 'the claim of an ephemeral volume')
        self.do(server, 'delete', 'pod', 'job', '--grace-period=0', '--force')
        self.until(lambda: not self.names(server, 'pvc'), 'the claim to go with its pod')
        self.assertEqual(server.stop(), 0)

    def test_a_csi_volume_is_attached_to_the_node_of_its_pod_and_detached_after_it(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.apply(server, {'apiVersion': 'v1', 'kind': 'PersistentVolume', 'metadata': {'name': 'disk'},
                            'spec': {'storageClassName': 'csi', 'accessModes': ['ReadWriteOnce'], 'capacity': {'storage': '1Gi'},
                                     'csi': {'driver': 'csi.example.com', 'volumeHandle': 'h-1'}}})
        self.do(server, 'wait', 'pv/disk', '--for=jsonpath={.status.phase}=Available', '--timeout=20s')
        self.apply(server, {'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'data'},
                            'spec': {'storageClassName': 'csi', 'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})
        node = json.loads(NODE)
        node['metadata']['annotations'] = {'volumes.kubernetes.io/controller-managed-attach-detach': 'true'}
        self.apply(server, node)
        self.apply(server, {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'db'},
                            'spec': {'nodeName': 'n1', 'containers': [{'name': 'c', 'image': 'app:1'}],
                                     'volumes': [{'name': 'v', 'persistentVolumeClaim': {'claimName': 'data'}}]}})
        name = 'csi-' + hashlib.sha256(b'h-1csi.example.comn1').hexdigest()
        attachments = lambda: self.names(server, 'volumeattachments')
        self.until(lambda: attachments() == ['volumeattachment.storage.k8s.io/' + name], 'an attachment')
        # What the driver's external attacher says.
        self.do(server, 'patch', 'volumeattachment', name, '--subresource=status', '--type=merge', '-p', '{"status": {"attached": true}}')
        attached = lambda: self.do(server, 'get', 'node', 'n1', '-o', 'jsonpath={.status.volumesAttached[*].name}')
        self.until(lambda: attached() == 'kubernetes.io/csi/csi.example.com^h-1', 'the node to be told')
        self.until(lambda: 'SuccessfulAttachVolume' in self.do(server, 'get', 'events'), 'an event')
        self.do(server, 'delete', 'pod', 'db', '--grace-period=0', '--force')
        self.do(server, 'patch', 'node', 'n1', '--subresource=status', '--type=merge', '-p', '{"status": {"volumesInUse": ["other"]}}')
        self.until(lambda: not attachments() and not attached(), 'the volume to be detached')
        self.assertEqual(server.stop(), 0)

    def test_a_namespace_goes_with_all_that_is_in_it(self):
        server = Server(self.folder, command=['up', '--control-plane-only'])
        self.do(server, 'create', 'namespace', 'team')
        self.until(lambda: 'configmap/kube-root-ca.crt' in self.names(server, 'cm', '-n', 'team'), 'the root CA')
        authority = self.do(server, 'get', 'cm', '-n', 'team', 'kube-root-ca.crt', '-o', 'jsonpath={.data.ca\\.crt}')
        self.assertEqual(authority, read(server.path('pki', 'ca.crt')))
        self.define_widgets(server)
        widget = {'apiVersion': 'example.com/v1', 'kind': 'Widget', 'metadata': {'name': 'w', 'namespace': 'team'}}
        self.apply(server, widget)
        uid = self.do(server, 'get', 'widget', 'w', '-n', 'team', '-o', 'jsonpath={.metadata.uid}')
        owner = {'apiVersion': 'example.com/v1', 'kind': 'Widget', 'name': 'w', 'uid': uid}
        self.apply(server, {'apiVersion': 'v1', 'kind': 'ConfigMap',
                            'metadata': {'name': 'owned', 'namespace': 'team', 'ownerReferences': [owner]}})
        self.do(server, 'delete', 'widget', 'w', '-n', 'team')
        self.until(lambda: 'configmap/owned' not in self.names(server, 'cm', '-n', 'team'), 'what a widget owns to go')
        held = dict(widget, metadata=dict(widget['metadata'], finalizers=['example.com/hold']))
        self.apply(server, held)
        self.do(server, 'create', 'deployment', 'web', '-n', 'team', '--image=app:1')
        self.do(server, 'delete', 'namespace', 'team', '--wait=false')
        waits = lambda: 'widgets.example.com has 1 resource instances' in self.do(server, 'get', 'ns', 'team', '-o', 'yaml')
        self.until(waits, 'the namespace to wait for the widget')
        self.do(server, 'patch', 'widget', 'w', '-n', 'team', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
        self.until(lambda: 'namespace/team' not in self.names(server, 'ns'), 'the namespace to go', 60)
        self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)
