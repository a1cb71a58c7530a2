"""Hostile input to `orrery apiserver` over TLS: each attempt is refused with the right code, refusals are in the audit log, the server
lives and its memory stays bounded. What is hostile to HTTP itself is in http_front_test.py.

usage: hostile_test.py PATH_OF_orrery
"""
import base64
import gzip
import hashlib
import hmac
import http.client
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from served import BINARY, Server, read

MAPS = '/api/v1/namespaces/default/configmaps'
SECRET = base64.b64encode(b'classified').decode()
with open(BINARY, 'rb') as program:
    SANITIZED = b'__tsan_init' in (content := program.read()) or b'__asan_init' in content
RSS_MB_MAX = 6000 if SANITIZED else 600  # whatever has been sent


def text(value):
    return value if isinstance(value, bytes) else value.encode()


def b64url(data):
    return base64.urlsafe_b64encode(text(data)).rstrip(b'=').decode()


class Hostile(unittest.TestCase):
    """One server for all attempts of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.server = Server(cls.folder, '--audit-log-path', os.path.join(cls.folder, 'audit.log'), '--allow-privileged=true')
        cls.port = int(cls.server.url.rsplit(':', 1)[1])
        cls.context = ssl.create_default_context(cafile=cls.server.path('pki', 'ca.crt'))
        cls.make('/api/v1/namespaces/default/secrets', {'metadata': {'name': 'treasure'}, 'stringData': {'text': 'classified'}})
        cls.make('/api/v1/namespaces/default/serviceaccounts', {'metadata': {'name': 'default'}})

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        shutil.rmtree(cls.folder)
        assert code == 0, code

    def tearDown(self):
        if self.server.process.poll() is not None:
            self.fail('the server has died: ' + self.server.process.stderr.read())
        self.assertEqual(self.send('GET', '/readyz', token='admin-token')[0], 200)
        self.assertLess(self.server.rss_mb(), RSS_MB_MAX)

    @classmethod
    def send(cls, method, path, body=None, token='alice-token', headers=(), context=None):
        """The path goes out as it is. 0: the connection was closed without an answer."""
        connection = http.client.HTTPSConnection('127.0.0.1', cls.port, context=context or cls.context, timeout=60)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            if token:
                connection.putheader('Authorization', 'Bearer ' + token)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader('Content-Length', str(len(text(body))))
            connection.endheaders()
            try:
                if body is not None:
                    connection.send(text(body))
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.BadStatusLine, ConnectionError):
            return 0, b''
        finally:
            connection.close()

    @classmethod
    def make(cls, path, body):
        code, answer = cls.send('POST', path, json.dumps(body), 'admin-token', [('Content-Type', 'application/json')])
        assert code == 201, answer
        return json.loads(answer)

    def post(self, path, body, kind='application/json', method='POST', token='admin-token', headers=()):
        return self.send(method, path, body, token, [('Content-Type', kind), *headers])

    def audited(self):
        with open(os.path.join(self.folder, 'audit.log')) as log:
            return [json.loads(line) for line in log]


class Paths(Hostile):
    def test_no_spelling_of_a_path_passes_authorization(self):
        base = '/api/v1/namespaces/default/secrets/treasure'
        spellings = [
            base, base + '/', '/' + base, base.replace('/v1/', '//v1/'), base.replace('/secrets/', '//secrets/'), base.replace('/secrets/', '/./secrets/'),
            base.replace('secrets', 'Secrets'), base.replace('secrets', 'SECRETS'), base.replace('/api/', '/API/'), base.replace('v1', 'V1'),
            base.replace('secrets', '%73ecrets'), base.replace('secrets', '%2573ecrets'), base.replace('/api/', '/%61pi/'), base.replace('/', '%2f')[3:],
            '/' + base[1:].replace('/', '%2F'), base.replace('default', 'default%2f'), base + '%00', base + '%20', base + ';a=b', base + '?x=/metrics',
            '/metrics/../' + base[1:], '/healthz/..' + base, '/version/%2e%2e' + base, '/version/..%2f' + base[1:], base + '/..%2ftreasure', base + '/status',
            '/api/v1/watch/namespaces/default/secrets/treasure', '/api/v1/watch/secrets', '/api/v1/secrets', '/api/v1/secrets?limit=1',
            '/api/v1/namespaces/default/configmaps/../secrets/treasure', '/api/v1/namespaces/default/configmaps/%2e%2e/secrets/treasure',
            '/apis//v1/namespaces/default/secrets/treasure', '/apis/core/v1/namespaces/default/secrets/treasure', '/api/v1/proxy/namespaces/default/secrets/treasure',
            'https://other.example' + base, 'https://127.0.0.1:%d%s' % (self.port, base), '/api/v1/namespaces/default/secrets/treasure%3Fwatch=1',
            '/api/v1/namespaces/default/secrets?fieldSelector=metadata.name%3Dtreasure', base + '#x',
        ]
        for path in spellings:
            with self.subTest(path):
                code, body = self.send('GET', path)
                self.assertIn(code, (400, 403, 404), body)
                self.assertNotIn(SECRET.encode(), body)
        self.assertEqual(self.send('GET', base, token='admin-token')[0], 200)

    def test_headers_do_not_change_what_is_asked_for(self):
        for name, value in (('X-Original-URL', '/metrics'), ('X-Rewrite-URL', '/healthz'), ('X-HTTP-Method-Override', 'HEAD'), ('X-Forwarded-User', 'admin'),
                            ('X-Remote-User', 'admin'), ('X-Remote-Group', 'system:masters'), ('Authorization', 'Bearer admin-token'), ('Forwarded', 'for=127.0.0.1')):
            with self.subTest(name):
                self.assertIn(self.send('GET', '/api/v1/secrets', headers=[(name, value)])[0], (400, 403))

    def test_methods_that_are_none(self):
        for method in ('get', 'GETT', 'TRACE', 'TRACK', 'PROPFIND', 'HEAD', 'OPTIONS', 'CONNECT'):
            with self.subTest(method):
                self.assertNotEqual(self.send(method, '/api/v1/namespaces/default/secrets/treasure')[0], 200)

    def test_names_that_are_paths(self):
        for name in ('../x', 'a/b', '..', '.', 'a%2fb', '%2e%2e', 'a\\b', 'a\x00b', 'A', '-a', 'a' * 300, 'a\nb', 'é', '/etc/passwd', 'a..b/', '*', ' '):
            with self.subTest(name):
                code, body = self.post(MAPS, json.dumps({'metadata': {'name': name}}))
                self.assertEqual(code, 422, body)
                quoted = MAPS + '/' + urllib.parse.quote(name, safe='')
                self.assertIn(self.post(quoted, json.dumps({'metadata': {'name': name}}), method='PUT')[0], (400, 403, 404, 405, 422))
                self.assertIn(self.send('GET', quoted, token='admin-token')[0], (200, 400, 404))
        code, body = self.post('/api/v1/namespaces/..%2fdefault/configmaps', json.dumps({'metadata': {'name': 'a'}}))
        self.assertIn(code, (400, 403, 404, 422))

    def test_refusals_are_audited(self):
        self.send('GET', '/api/v1/namespaces/default/%73ecrets/treasure')
        self.send('GET', '/api/v1/secrets', token='forged')
        last = [event for event in self.audited() if event['stage'] == 'ResponseComplete'][-2:]
        self.assertEqual([event['responseStatus']['code'] for event in last], [403, 401])
        self.assertEqual(last[0]['objectRef'], {'resource': 'secrets', 'namespace': 'default', 'name': 'treasure', 'apiVersion': 'v1'})
        self.assertEqual(last[0]['annotations']['authorization.k8s.io/decision'], 'forbid')


class Identities(Hostile):
    def token(self, account='default', **spec):
        body = {'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest', 'spec': {'audiences': [], **spec}}
        return self.make('/api/v1/namespaces/default/serviceaccounts/%s/token' % account, body)['status']['token']

    def signed(self, header, claims):
        signing = b64url(json.dumps(header)) + '.' + b64url(json.dumps(claims))
        key = self.server.path('pki', 'sa.key')
        signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=signing.encode(), capture_output=True, check=True).stdout
        return signing + '.' + b64url(signature)

    def who(self, token):
        review = {'apiVersion': 'authentication.k8s.io/v1', 'kind': 'SelfSubjectReview'}
        code, body = self.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', json.dumps(review), token=token)
        return json.loads(body)['status']['userInfo']['username'] if code == 201 else code

    def test_forged_tokens(self):
        good = self.token()
        head, claims, signature = good.split('.')
        decode = lambda part: json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))
        header, said = decode(head), decode(claims)
        public = read(self.server.path('pki', 'sa.pub')) if os.path.exists(self.server.path('pki', 'sa.pub')) else subprocess.run(
            ['openssl', 'rsa', '-in', self.server.path('pki', 'sa.key'), '-pubout'], capture_output=True, text=True, check=True).stdout
        self.assertEqual(self.who(good), 'system:serviceaccount:default:default')
        self.assertEqual(self.who(self.signed(header, said)), 'system:serviceaccount:default:default', 'the test can sign')
        unsigned = lambda alg: b64url(json.dumps({'alg': alg})) + '.' + claims + '.'
        hs = b64url(json.dumps({'alg': 'HS256', 'kid': header['kid']})) + '.' + claims
        other = dict(said, **{'kubernetes.io': dict(said['kubernetes.io'], serviceaccount=dict(said['kubernetes.io']['serviceaccount'], uid='other'))})
        now = int(time.time())
        forged = {
            'none': unsigned('none'), 'None': unsigned('None'), 'NONE with a signature': unsigned('NONE') + signature, 'no alg': b64url('{}') + '.' + claims + '.' + signature,
            'HS256 with the public key': hs + '.' + b64url(hmac.new(public.encode(), hs.encode(), hashlib.sha256).digest()),
            'another signature': head + '.' + claims + '.' + b64url(os.urandom(256)), 'no signature': head + '.' + claims + '.', 'two parts': head + '.' + claims,
            'four parts': good + '.x', 'padding': good + '=', 'other claims': head + '.' + b64url(json.dumps(dict(said, sub='system:admin'))) + '.' + signature,
            'RS512': b64url(json.dumps(dict(header, alg='RS512'))) + '.' + claims + '.' + signature,
            'own key': self.signed(dict(header, kid='unknown', jwk={'kty': 'RSA'}), dict(said, iss='https://other.example')),
            'expired': self.signed(header, dict(said, exp=now - 100, iat=now - 200, nbf=now - 200)), 'not yet': self.signed(header, dict(said, nbf=now + 3600)),
            'other issuer': self.signed(header, dict(said, iss='https://other.example')), 'other audience': self.signed(header, dict(said, aud=['other'])),
            'no audience': self.signed(header, {k: v for k, v in said.items() if k != 'aud'}), 'uid of another account': self.signed(header, other),
            'deep claims': head + '.' + b64url('{"a":' * 3000 + '1' + '}' * 3000) + '.' + signature, 'long': 'a.' + 'b' * 50000 + '.c', 'dots': '.' * 10000,
            'not base64': '!.!.!', 'invalid UTF-8': b64url(b'\xff\xfe') + '.' + b64url(b'\xff') + '.' + signature,
        }
        for name, token in forged.items():
            with self.subTest(name):
                self.assertEqual(self.who(token), 401)

    def test_tokens_end_with_what_they_are_bound_to(self):
        self.make('/api/v1/namespaces/default/serviceaccounts', {'metadata': {'name': 'mortal'}})
        pod = self.make('/api/v1/namespaces/default/pods', {'metadata': {'name': 'p'}, 'spec': {'serviceAccountName': 'mortal', 'containers': [{'name': 'c', 'image': 'i'}]}})
        bound = self.token('mortal', boundObjectRef={'apiVersion': 'v1', 'kind': 'Pod', 'name': 'p', 'uid': pod['metadata']['uid']})
        free = self.token('mortal')
        self.assertEqual((self.who(bound), self.who(free)), ('system:serviceaccount:default:mortal',) * 2)
        self.assertEqual(self.send('DELETE', '/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0', token='admin-token')[0], 200)
        self.assertEqual((self.who(bound), self.who(free)), (401, 'system:serviceaccount:default:mortal'))
        self.send('DELETE', '/api/v1/namespaces/default/serviceaccounts/mortal', token='admin-token')
        self.assertEqual(self.who(free), 401)
        self.make('/api/v1/namespaces/default/serviceaccounts', {'metadata': {'name': 'mortal'}})
        self.assertEqual(self.who(free), 401, 'the next of this name is another one')

    def certificate(self, name, ca, subject, *more):
        run = lambda *args: subprocess.run(['openssl', *args], cwd=self.folder, check=True, capture_output=True)
        run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', name + '.key', '-out', name + '.csr', '-subj', subject)
        with open(os.path.join(self.folder, 'client.ext'), 'w') as out:
            out.write('extendedKeyUsage=clientAuth\n')
        run('x509', '-req', '-in', name + '.csr', '-CA', ca + '.crt', '-CAkey', ca + '.key', '-CAcreateserial', '-out', name + '.crt', '-extfile', 'client.ext', *more)
        context = ssl.create_default_context(cafile=self.server.path('pki', 'ca.crt'))
        context.load_cert_chain(os.path.join(self.folder, name + '.crt'), os.path.join(self.folder, name + '.key'))
        return context

    def test_certificates_that_prove_nothing(self):
        for part in ('crt', 'key'):
            shutil.copy(self.server.path('pki', 'ca.' + part), os.path.join(self.folder, 'ca.' + part))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'other.key', '-out', 'other.crt',
                        '-days', '2', '-subj', '/CN=orrery'], cwd=self.folder, check=True, capture_output=True)
        masters = '/O=system:masters/CN=admin'
        ask = lambda context: self.send('GET', '/api/v1/secrets', token=None, context=context)
        self.assertEqual(ask(self.certificate('good', 'ca', masters, '-days', '2'))[0], 200, 'the test can issue')
        for name, ca, days in (('stranger', 'other', '2'), ('expired', 'ca', '-1')):
            with self.subTest(name):
                context = self.certificate(name, ca, masters, '-days', days)
                try:
                    self.assertIn(ask(context)[0], (0, 401))
                except ssl.SSLError:
                    pass
        self.assertEqual(ask(self.certificate('nobody', 'ca', '/O=system:masters', '-days', '2'))[0], 401, 'groups without a name')

    def test_nobody_becomes_more_by_impersonation(self):
        role = {'metadata': {'name': 'as-bob'}, 'rules': [{'apiGroups': [''], 'resources': ['users'], 'verbs': ['impersonate'], 'resourceNames': ['bob']},
                                                         {'apiGroups': [''], 'resources': ['groups'], 'verbs': ['impersonate'], 'resourceNames': ['dev']}]}
        rbac = '/apis/rbac.authorization.k8s.io/v1/'
        self.make(rbac + 'clusterroles', role)
        self.make(rbac + 'clusterrolebindings', {'metadata': {'name': 'as-bob'}, 'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': 'as-bob'},
                                                 'subjects': [{'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'User', 'name': 'alice'}]})
        review = json.dumps({'apiVersion': 'authentication.k8s.io/v1', 'kind': 'SelfSubjectReview'})
        as_ = lambda *headers: self.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', review, token='alice-token', headers=headers)
        code, body = as_(('Impersonate-User', 'bob'), ('Impersonate-Group', 'dev'))
        self.assertEqual((code, json.loads(body)['status']['userInfo']['username']), (201, 'bob'))
        user = ('Impersonate-User', 'bob')
        for headers in ([('Impersonate-User', 'admin')], [user, ('Impersonate-Group', 'system:masters')], [user, ('Impersonate-Group', 'dev'), ('Impersonate-Group', 'system:masters')],
                        [user, ('impersonate-group', 'system:masters')], [user, ('Impersonate-Uid', '1')], [user, ('Impersonate-Extra-scopes', 'x')],
                        [user, ('Impersonate-Extra-%73copes', 'x')], [('Impersonate-User', 'system:serviceaccount:kube-system:default')],
                        [('Impersonate-User', 'bob '), ('Impersonate-Group', 'dev')], [('Impersonate-User', 'bob'), ('Impersonate-User', 'admin')]):
            with self.subTest(headers):
                code, body = as_(*headers)
                if code == 201:
                    self.assertEqual(json.loads(body)['status']['userInfo']['username'], 'bob')
                    self.assertNotIn('system:masters', body.decode())
                else:
                    self.assertIn(code, (400, 403), body)
        self.assertGreaterEqual(as_(('Impersonate-Group', 'dev'))[0], 400)
        grab = {'metadata': {'name': 'grab'}, 'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': 'cluster-admin'},
                'subjects': [{'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'User', 'name': 'alice'}]}
        self.assertEqual(self.post(rbac + 'clusterrolebindings', json.dumps(grab), token='alice-token')[0], 403)


CRD = {'metadata': {'name': 'things.hostile.example'},
       'spec': {'group': 'hostile.example', 'scope': 'Namespaced', 'names': {'plural': 'things', 'singular': 'thing', 'kind': 'Thing', 'listKind': 'ThingList'},
                'versions': [{'name': 'v1', 'served': True, 'storage': True, 'schema': {'openAPIV3Schema': {
                    'type': 'object', 'properties': {
                        'spec': {'type': 'object', 'x-kubernetes-preserve-unknown-fields': True},
                        'text': {'type': 'string', 'pattern': '^(a+)+$'},
                        'list': {'type': 'array', 'items': {'type': 'string'}}}}}}]}}
THINGS = '/apis/hostile.example/v1/namespaces/default/things'


class Bodies(Hostile):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD)
        cls.make(MAPS, {'metadata': {'name': 'm'}, 'data': {'k': 'v'}})
        end = time.monotonic() + 20
        while cls.send('GET', THINGS, token='admin-token')[0] != 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        cls.make(THINGS, {'apiVersion': 'hostile.example/v1', 'kind': 'Thing', 'metadata': {'name': 't'}})

    def refused(self, answer, codes=(400, 413, 415, 422)):
        self.assertIn(answer[0], codes, answer[1][:300])

    def test_deep_nesting(self):
        for depth in (2000, 1000000):
            arrays = '[' * depth + ']' * depth
            objects = '{"a":' * min(depth, 400000) + '1' + '}' * min(depth, 400000)
            for deep in (arrays, '[' * depth, objects):
                with self.subTest(depth=depth, deep=deep[:5]):
                    self.refused(self.post(MAPS, '{"metadata":{"name":"d","annotations":%s}}' % deep))
                    self.refused(self.post(THINGS, '{"apiVersion":"hostile.example/v1","kind":"Thing","metadata":{"name":"d"},"spec":{"x":%s}}' % deep))
                    self.refused(self.post(MAPS + '/m', '{"data":%s}' % deep, 'application/merge-patch+json', 'PATCH'))
                    self.refused(self.post(MAPS + '/m', '{"data":%s}' % deep, 'application/strategic-merge-patch+json', 'PATCH'))
                    self.refused(self.post(THINGS + '/t', '{"spec":{"y":%s}}' % deep, 'application/merge-patch+json', 'PATCH'))
                    self.refused(self.post(MAPS + '/m', '[{"op":"add","path":"/data","value":%s}]' % deep, 'application/json-patch+json', 'PATCH'))
                    self.refused(self.post(MAPS + '/m?fieldManager=x', '{"apiVersion":"v1","kind":"ConfigMap","data":%s}' % deep, 'application/apply-patch+yaml', 'PATCH'))
                    self.refused(self.post(THINGS + '/t?fieldManager=x', '{"apiVersion":"hostile.example/v1","kind":"Thing","spec":{"z":%s}}' % deep,
                                           'application/apply-patch+yaml', 'PATCH'))
                    self.refused(self.post(MAPS, 'metadata: {name: d, annotations: %s}' % deep, 'application/yaml'))
        blocks = 'metadata:\n' + ''.join(' ' * i + 'a:\n' for i in range(1, 2000))
        self.refused(self.post(MAPS, blocks, 'application/yaml'))
        self.refused(self.post(MAPS, '- ' * 500000, 'application/yaml'))

    def test_a_pointer_of_a_patch_that_goes_deep(self):
        self.refused(self.post(MAPS + '/m', json.dumps([{'op': 'add', 'path': '/a' * 200000, 'value': 1}]), 'application/json-patch+json', 'PATCH'))

    def test_deep_protobuf(self):
        def nested(tag, depth):
            inner = b''
            for _ in range(depth):
                size, length = len(inner), b''
                while size > 127:
                    length += bytes([size & 127 | 128])
                    size >>= 7
                inner = tag + length + bytes([size]) + inner
            return inner
        head = b'k8s\0' + b'\x0a\x0f' + b'\x0a\x02v1\x12\x09ConfigMap'
        varint = lambda n: bytes([n & 127 | 128, n >> 7 & 127 | 128, n >> 14 & 127])
        for raw in (nested(b'\x0a', 20000), nested(b'\x7a', 20000), b'\x0b' * 50000, b'\xff' * 50000, b'\x0a\xff\xff\xff\xff\x0f', b'\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f'):
            for body in (head + b'\x12' + varint(len(raw)) + raw, b'k8s\0' + raw, raw):
                self.refused(self.post(MAPS, body, 'application/vnd.kubernetes.protobuf'))

    def test_yaml_that_expands(self):
        lines = ['a0: &a0 ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]']
        lines += ['a%d: &a%d [%s]' % (i, i, ','.join(['*a%d' % (i - 1)] * 9)) for i in range(1, 12)]
        bombs = {'billion laughs': '\n'.join(lines), 'itself': 'a: &a [*a]', 'merge': '\n'.join(
            ['x0: &x0 {k: v}'] + ['x%d: &x%d {<<: [%s]}' % (i, i, ','.join(['*x%d' % (i - 1)] * 9)) for i in range(1, 12)])}
        for name, bomb in bombs.items():
            with self.subTest(name):
                self.refused(self.post(MAPS, 'metadata: {name: y}\n' + bomb, 'application/yaml'))
                self.refused(self.post(MAPS + '/m?fieldManager=x', 'apiVersion: v1\nkind: ConfigMap\n' + bomb, 'application/apply-patch+yaml', 'PATCH'))

    def test_patches_that_expand(self):
        double = [{'op': 'add', 'path': '/data/a', 'value': 'x' * 1000}, {'op': 'add', 'path': '/metadata/annotations', 'value': {}}]
        double += [{'op': 'copy', 'from': '/data', 'path': '/data/n%d' % i} for i in range(60)]
        self.refused(self.post(MAPS + '/m', json.dumps(double), 'application/json-patch+json', 'PATCH'))
        grow = [{'op': 'add', 'path': '/spec', 'value': {'l': ['x' * 1000]}}] + [{'op': 'copy', 'from': '/spec', 'path': '/spec/n%d' % i} for i in range(60)]
        self.refused(self.post(THINGS + '/t', json.dumps(grow), 'application/json-patch+json', 'PATCH'))
        many = json.dumps([{'op': 'test', 'path': '/kind', 'value': 'ConfigMap'}] * 10001)
        self.assertEqual(self.post(MAPS + '/m', many, 'application/json-patch+json', 'PATCH')[0], 413)

    def test_text_that_is_none(self):
        for bad in (b'\xff', b'\xc0\xaf', b'\xed\xa0\x80', b'\xf5\x80\x80\x80', b'\xe2\x82'):
            for body, kind in ((b'{"metadata":{"name":"' + bad + b'"}}', 'application/json'), (b'metadata: {name: "' + bad + b'"}', 'application/yaml')):
                self.refused(self.post(MAPS, body, kind))
            code, answer = self.post(MAPS, b'{"metadata":{"generateName":"u-"},"data":{"k":"' + bad + b'"}}')
            self.assertIn(code, (201, 400))
            answer.decode()  # whatever is told is UTF-8
            self.assertLess(self.send('GET', '/api/v1/configmaps?labelSelector=' + urllib.parse.quote(bad), token='admin-token')[0], 500)
            self.assertLess(self.send('GET', MAPS + '/' + urllib.parse.quote(bad), token='admin-token')[0], 500)

    def test_large_numbers_as_members_of_sets(self):
        made = json.loads(json.dumps(CRD).replace('hostile.example', 'numbers.example'))
        made['spec']['versions'][0]['schema']['openAPIV3Schema']['properties']['set'] = {'type': 'array', 'x-kubernetes-list-type': 'set', 'items': {'type': 'number'}}
        self.make('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', made)
        path = THINGS.replace('hostile.example', 'numbers.example')
        end = time.monotonic() + 20
        while self.send('GET', path, token='admin-token')[0] != 200 and time.monotonic() < end:
            time.sleep(0.05)
        body = '{"apiVersion":"numbers.example/v1","kind":"Thing","metadata":{"name":"n"},"set":[5.5e19,6.6e19,-7.7e19,1e300]}'
        self.assertIn(self.post(path, body)[0], (201, 400, 422))
        self.assertIn(self.post(path + '/n?fieldManager=x&force=true', body, 'application/apply-patch+yaml', 'PATCH')[0], (200, 201, 400, 422))

    def test_numbers_without_end(self):
        for number in ('1e999999999', '9' * 100000, '-' + '9' * 400, '0.' + '1' * 100000, '1e-999999999', 'NaN', '1' + '0' * 30):
            for path, body in ((THINGS, '{"apiVersion":"hostile.example/v1","kind":"Thing","metadata":{"generateName":"n-"},"spec":{"n":%s}}'),
                               ('/api/v1/namespaces/default/pods', '{"metadata":{"generateName":"n-"},"spec":{"priority":%s,"containers":[{"name":"c","image":"i"}]}}')):
                code, answer = self.post(path, body % number)
                self.assertIn(code, (201, 400, 422), answer[:200])
            quantity = {'metadata': {'generateName': 'q-'}, 'spec': {'containers': [{'name': 'c', 'image': 'i', 'resources': {'limits': {'cpu': number}}}]}}
            self.assertIn(self.post('/api/v1/namespaces/default/pods', json.dumps(quantity))[0], (201, 400, 422))
        for query in ('limit=' + '9' * 50, 'limit=-1', 'resourceVersion=' + '9' * 50, 'resourceVersion=-1', 'timeoutSeconds=' + '9' * 50, 'continue=' + 'A' * 10000,
                      'continue=%ff', 'timeout=' + '9' * 50 + 'h', 'watch=1&timeoutSeconds=1&resourceVersion=' + '9' * 30):
            with self.subTest(query[:30]):
                self.assertIn(self.send('GET', MAPS + '?' + query, token='admin-token')[0], (200, 400, 410, 500, 504))

    def test_selectors_that_are_long_or_deep(self):
        for selector in (','.join('k%d=v' % i for i in range(5000)), 'k in (' + ','.join('v%d' % i for i in range(5000)) + ')', '(' * 20000, '!' * 20000, 'k notin (' * 2000):
            self.assertIn(self.send('GET', MAPS + '?labelSelector=' + urllib.parse.quote(selector, safe=''), token='admin-token')[0], (200, 400, 431))
            self.assertIn(self.send('GET', MAPS + '?fieldSelector=' + urllib.parse.quote(selector, safe=''), token='admin-token')[0], (200, 400, 431))

    def test_bodies_that_are_large_or_compressed(self):
        body = json.dumps({'metadata': {'name': 'big'}, 'data': {'k': 'x' * (3 << 20)}})
        for kind, method, path in (('application/json', 'POST', MAPS), ('application/merge-patch+json', 'PATCH', MAPS + '/m')):
            self.assertEqual(self.post(path, body, kind, method)[0], 413)
        bomb = gzip.compress(b'{"metadata":{"name":"z"},"data":{"k":"' + b'x' * (100 << 20) + b'"}}')
        self.refused(self.post(MAPS, bomb, headers=[('Content-Encoding', 'gzip')]))
        self.refused(self.post(MAPS, bomb))
        data = {'k%d' % i: 'v' for i in range(200000)}
        self.assertIn(self.post(MAPS, json.dumps({'metadata': {'name': 'wide'}, 'data': data}))[0], (201, 413, 422))
        self.refused(self.post(MAPS, json.dumps({'metadata': {'name': 'x', 'annotations': {'a': 'x' * 300000}}})))
        repeated = '{"metadata":{"name":"r"},' + ','.join(['"data":{}'] * 200000) + '}'
        self.assertIn(self.post(MAPS + '?fieldValidation=Strict', repeated)[0], (201, 400))

    def test_managed_fields_that_lie(self):
        for fields in ({'f:a': None}, {'k:{"a":': {}}, {'k:' + '[' * 2000: {}}, {'v:' + '{"a":' * 2000: {}}, {'i:99999999999999999999': {}}, {'': {}}, {'.': {'.': {'.': {}}}}):
            entry = {'manager': 'm', 'operation': 'Apply', 'apiVersion': 'v1', 'fieldsType': 'FieldsV1', 'fieldsV1': fields, 'time': '2020-01-01T00:00:00Z'}
            code, answer = self.post(MAPS, json.dumps({'metadata': {'generateName': 'f-', 'managedFields': [entry]}}))
            self.assertIn(code, (201, 400, 422), answer[:200])
        deep = '{"f:a":' * 3000 + '{}' + '}' * 3000
        raw = '{"metadata":{"generateName":"f-","managedFields":[{"manager":"m","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":%s}]}}'
        self.refused(self.post(MAPS, raw % deep), (201, 400, 422))

    def test_expressions_and_patterns_that_take_for_ever(self):
        crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
        def definition(name, schema):
            made = json.loads(json.dumps(CRD).replace('hostile.example', name + '.example'))
            made['spec']['versions'][0]['schema']['openAPIV3Schema']['properties']['x'] = schema
            return json.dumps(made)
        rule = lambda expression: {'type': 'array', 'items': {'type': 'string'}, 'x-kubernetes-validations': [{'rule': expression}]}
        for name, expression in (('parens', '(' * 20000 + 'true' + ')' * 20000), ('nots', '!' * 50000 + 'true'), ('lists', '[' * 20000 + ']' * 20000 + ' == []'),
                                 ('chain', ' && '.join(['true'] * 100000)), ('ternary', 'true ? ' * 5000 + 'true' + ' : true' * 5000), ('text', '"' + 'x' * 1000000 + '" == ""'),
                                 ('loops', 'self.all(a, self.all(b, self.all(c, self.all(d, a+b+c+d != "")))))')):
            with self.subTest(name):
                self.refused(self.post(crds, definition(name, rule(expression))))
        for name, pattern in (('repeat', '((((((a{1000}){1000}){1000}){1000}){1000}){1000})'), ('open', '(' * 10000), ('class', '[' + 'a-z' * 100000)):
            with self.subTest(name):
                self.assertIn(self.post(crds, definition(name, {'type': 'string', 'pattern': pattern}))[0], (201, 400, 422))
        code, answer = self.post(THINGS, json.dumps({'apiVersion': 'hostile.example/v1', 'kind': 'Thing', 'metadata': {'name': 'slow'}, 'text': 'a' * 100000 + '!'}))
        self.assertEqual(code, 422, answer[:200])

    def test_metadata_of_any_kind(self):
        for body in ('null', '[]', '1', '"x"', 'true', '{}', '{"metadata":null}', '{"metadata":[]}', '{"metadata":{"name":1}}', '{"metadata":{"labels":{"a":1}}}', '',
                     '{"kind":"Pod","apiVersion":"v1"}', '{"kind":"' + 'K' * 100000 + '","apiVersion":"v1"}', '{"apiVersion":"' + '/' * 10000 + '","kind":"ConfigMap"}'):
            with self.subTest(body[:30]):
                self.refused(self.post(MAPS, body))


class Load(Hostile):
    """Many at once: what one peer may cost is bounded in http_front_test.py; here the API answers others meanwhile."""

    def test_unfinished_requests_do_not_hinder_others(self):
        socks = []
        for i in range(200):
            sock = self.context.wrap_socket(socket.create_connection(('127.0.0.1', self.port)), server_hostname='127.0.0.1')
            sock.sendall(b'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n' + (b'' if i % 2 else b'\r\n{"a":'))
            socks.append(sock)
        self.assertEqual(self.send('GET', '/api/v1/namespaces', token='admin-token')[0], 200)
        for sock in socks:
            sock.close()

    def test_requests_that_are_reset_at_once(self):
        context = ssl.create_default_context(cafile=self.server.path('pki', 'ca.crt'))
        context.set_alpn_protocols(['h2'])
        frame = lambda kind, flags, stream, payload=b'': struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload
        literal = lambda name, value: b'\x00' + bytes([len(name)]) + name + bytes([len(value)]) + value
        head = b'\x82\x87' + literal(b':path', b'/apis/rbac.authorization.k8s.io/v1/clusterroles') + literal(b':authority', b'x') + literal(b'authorization', b'Bearer admin-token')
        before = self.server.rss_mb()
        for _ in range(5):
            with context.wrap_socket(socket.create_connection(('127.0.0.1', self.port)), server_hostname='127.0.0.1') as sock:
                self.assertEqual(sock.selected_alpn_protocol(), 'h2')
                try:
                    sock.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(4, 0, 0))
                    sock.sendall(b''.join(frame(1, 5, i, head) + frame(3, 0, i, struct.pack('>I', 8)) for i in range(1, 8001, 2)))
                    while sock.recv(65536):
                        pass
                except (ConnectionError, ssl.SSLError):
                    pass
        self.assertLess(self.server.rss_mb(), before + RSS_MB_MAX / 3)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
