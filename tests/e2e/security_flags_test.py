"""Flags of `orrery apiserver` that guard a cluster: what is written where, and who may ask how much.

usage: security_flags_test.py PATH_OF_orrery
"""
import base64
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

from served import Cluster, Server

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



class SlowHook(http.server.BaseHTTPRequestHandler):
    """An admission webhook that thinks about everything for a while."""

    authorizations = set()

    def do_POST(self):
        self.authorizations.add(self.headers.get('Authorization'))
        review = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        time.sleep(0.2)
        body = json.dumps({'apiVersion': review['apiVersion'], 'kind': review['kind'],
                           'response': {'uid': review['request']['uid'], 'allowed': True}}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Fairness(Guarded):
    CONFIGMAPS = '/api/v1/namespaces/default/configmaps'

    def hook(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'k', '-out', 'c', '-days', '2',
                        '-subj', '/CN=hook', '-addext', 'subjectAltName=IP:127.0.0.1'], cwd=self.folder, check=True, capture_output=True)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), SlowHook)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(self.folder, 'c'), os.path.join(self.folder, 'k'))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with open(os.path.join(self.folder, 'c'), 'rb') as certificate:
            ca = base64.b64encode(certificate.read()).decode()
        return {'apiVersion': 'admissionregistration.k8s.io/v1', 'kind': 'ValidatingWebhookConfiguration', 'metadata': {'name': 'slow'},
                'webhooks': [{'name': 'slow.example.com', 'sideEffects': 'None', 'admissionReviewVersions': ['v1'],
                              'clientConfig': {'url': 'https://127.0.0.1:%d/' % server.server_port, 'caBundle': ca},
                              'rules': [{'apiGroups': [''], 'apiVersions': ['v1'], 'operations': ['CREATE'], 'resources': ['configmaps']}]}]}

    def test_a_noisy_user_does_not_starve_another(self):
        tokens = self.file('users.csv', 'admin-token,admin,u1,"system:masters"\nnoisy,noisy,u2,\nquiet,quiet,u3,\n')
        server = Server(self.folder, '--authorization-mode', 'AlwaysAllow', '--max-requests-inflight=3', '--max-mutating-requests-inflight=2',
                        command=['apiserver', '--token-auth-file', tokens])
        self.assertEqual(self.post(server, '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', self.hook())[0], 201)
        answered = []

        def shout(i):
            answered.append(self.post(server, self.CONFIGMAPS, {'metadata': {'name': 'n%d' % i}}, 'noisy')[0])

        noise = [threading.Thread(target=shout, args=(i,)) for i in range(60)]
        for thread in noise:
            thread.start()
        while not answered:
            time.sleep(0.01)
        self.assertEqual(self.post(server, self.CONFIGMAPS, {'metadata': {'name': 'q'}}, 'quiet')[0], 201)
        before_quiet = len(answered)
        for thread in noise:
            thread.join()
        self.assertEqual(answered.count(201) + answered.count(429), 60)
        self.assertLess(before_quiet, 30)
        metrics = server.get('/metrics', 'admin-token')[1].decode()
        self.assertIn('apiserver_flowcontrol_dispatched_requests_total{flow_schema="global-default",priority_level="global-default"}', metrics)
        self.assertEqual(server.stop(), 0)



    def test_webhooks_are_shown_who_asks(self):
        hooks = self.file('hooks.conf', 'users:\n- {name: 127.0.0.1, user: {token: it-is-me}}\n')
        config = self.file('admission.yaml', 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: ValidatingAdmissionWebhook\n'
                           '  configuration: {apiVersion: apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration, kubeConfigFile: %s}\n' % hooks)
        server = Server(self.folder, '--admission-control-config-file', config)
        self.assertEqual(self.post(server, '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', self.hook())[0], 201)
        SlowHook.authorizations.clear()
        self.assertEqual(self.post(server, self.CONFIGMAPS, {'metadata': {'name': 'a'}})[0], 201)
        self.assertEqual(SlowHook.authorizations, {'Bearer it-is-me'})
        self.assertEqual(server.stop(), 0)


class AdmissionConfiguration(Guarded):
    CONFIG = '''
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline}
    exemptions: {namespaces: [free]}
- name: ResourceQuota
  path: quota.yaml
'''
    QUOTA = '''
apiVersion: apiserver.config.k8s.io/v1
kind: ResourceQuotaConfiguration
limitedResources:
- {resource: services, matchContains: [services.loadbalancers]}
'''

    def test_defaults_exemptions_and_limited_resources(self):
        self.file('quota.yaml', self.QUOTA)
        server = Server(self.folder, '--allow-privileged=true', '--admission-control-config-file', self.file('admission.yaml', self.CONFIG))
        for name in ('free', 'bound'):
            self.assertEqual(self.post(server, '/api/v1/namespaces', {'metadata': {'name': name}})[0], 201)
            account = {'metadata': {'name': 'default'}}
            self.assertEqual(self.post(server, '/api/v1/namespaces/%s/serviceaccounts' % name, account)[0], 201)
        pod = {'metadata': {'name': 'p'}, 'spec': {'hostNetwork': True, 'containers': [{'name': 'c', 'image': 'i'}]}}
        code, body = self.post(server, '/api/v1/namespaces/bound/pods', pod)
        self.assertEqual(code, 403)
        self.assertIn('violates PodSecurity \\"baseline:latest\\"', body.decode())
        self.assertEqual(self.post(server, '/api/v1/namespaces/free/pods', pod)[0], 201)
        service = {'metadata': {'name': 's'}, 'spec': {'type': 'LoadBalancer', 'ports': [{'port': 80}]}}
        code, body = self.post(server, '/api/v1/namespaces/bound/services', service)
        self.assertEqual((code, 'insufficient quota to consume: services.loadbalancers' in body.decode()), (403, True), body)
        service['spec']['type'] = 'ClusterIP'
        self.assertEqual(self.post(server, '/api/v1/namespaces/bound/services', service)[0], 201)
        self.assertEqual(server.stop(), 0)


class Audit(Guarded):
    POLICY = '''
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, nonResourceURLs: ["/healthz*"]}
- {level: RequestResponse, resources: [{group: "", resources: [configmaps]}]}
- {level: Metadata}
'''

    def events(self, name='audit.log'):
        with open(os.path.join(self.folder, name)) as log:
            return [json.loads(line) for line in log]

    def test_a_policy_says_what_is_written(self):
        server = Server(self.folder, '--audit-log-path', os.path.join(self.folder, 'audit.log'), '--audit-policy-file', self.file('policy.yaml', self.POLICY))
        maps = '/api/v1/namespaces/default/configmaps'
        self.post(server, maps, {'metadata': {'name': 'a'}, 'data': {'k': 'v'}})
        self.post(server, SECRETS, {'metadata': {'name': 's'}, 'stringData': {'k': 'hidden'}})
        server.get(maps, 'admin-token')
        server.get('/healthz', 'admin-token')
        server.get('/version', 'nobody')
        self.assertEqual(server.stop(), 0)
        made, secret, listed, refused = self.events()
        self.assertEqual((made['level'], made['stage'], made['requestObject']['data'], made['responseObject']['kind']),
                         ('RequestResponse', 'ResponseComplete', {'k': 'v'}, 'ConfigMap'))
        self.assertNotIn('managedFields', made['responseObject']['metadata'])
        self.assertEqual((secret['level'], secret['objectRef']['name'], 'requestObject' in secret), ('Metadata', 's', False))
        self.assertEqual([item['metadata']['name'] for item in listed['responseObject']['items']], ['a'])
        self.assertEqual((refused['responseStatus']['code'], refused['requestURI']), (401, '/version'))

    def test_the_log_is_set_aside_when_it_is_large(self):
        server = Server(self.folder, '--audit-log-path', os.path.join(self.folder, 'audit.log'), '--audit-log-maxsize=1', '--audit-log-maxbackup=1',
                        '--audit-policy-file', self.file('policy.yaml', self.POLICY))
        body = {'data': {'k': 'x' * 100000}}
        for i in range(12):  # twice 100 kB each
            self.post(server, '/api/v1/namespaces/default/configmaps', dict(body, metadata={'name': 'n%d' % i}))
        self.assertEqual(server.stop(), 0)
        logs = sorted(name for name in os.listdir(self.folder) if name.startswith('audit'))
        self.assertEqual(len(logs), 2, logs)
        self.assertRegex(logs[0], r'^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$')
        for name in logs:
            self.assertLessEqual(os.path.getsize(os.path.join(self.folder, name)), 1 << 20)
            self.events(name)


class BootstrapTokens(Guarded):
    def secret(self, **more):
        data = {'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true',
                'auth-extra-groups': 'system:bootstrappers:workers', **more}
        return {'metadata': {'name': 'bootstrap-token-' + data['token-id']}, 'type': 'bootstrap.kubernetes.io/token', 'stringData': data}

    def who(self, server, token):
        body = {'apiVersion': 'authentication.k8s.io/v1', 'kind': 'SelfSubjectReview'}
        code, answer = self.post(server, '/apis/authentication.k8s.io/v1/selfsubjectreviews', body, token)
        return json.loads(answer)['status']['userInfo'] if code == 201 else code

    def test_name_a_user_and_groups_until_they_expire(self):
        server = Server(self.folder, '--enable-bootstrap-token-auth')
        secrets = '/api/v1/namespaces/kube-system/secrets'
        self.assertEqual(self.post(server, secrets, self.secret())[0], 201)
        expired = self.secret(**{'token-id': 'expire', 'expiration': '2020-01-01T00:00:00Z'})
        unusable = self.secret(**{'token-id': 'nousag', 'usage-bootstrap-authentication': 'false'})
        for secret in (expired, unusable):
            self.assertEqual(self.post(server, secrets, secret)[0], 201)
        user = self.who(server, 'abcdef.0123456789abcdef')
        self.assertEqual((user['username'], user['groups']),
                         ('system:bootstrap:abcdef', ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated']))
        for token in ('abcdef.0123456789abcdee', 'expire.0123456789abcdef', 'nousag.0123456789abcdef', 'ABCDEF.0123456789abcdef'):
            self.assertEqual(self.who(server, token), 401, token)
        server.get(secrets + '/bootstrap-token-abcdef', 'admin-token', 'DELETE')
        self.assertEqual(self.who(server, 'abcdef.0123456789abcdef'), 401)
        self.assertEqual(server.stop(), 0)

    def test_are_nothing_without_the_flag(self):
        server = Server(self.folder)
        self.assertEqual(self.post(server, '/api/v1/namespaces/kube-system/secrets', self.secret())[0], 201)
        self.assertEqual(self.who(server, 'abcdef.0123456789abcdef'), 401)
        self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
