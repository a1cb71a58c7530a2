"""What the API server hands over to kubelets and pods: logs, exec, attach, port-forward, proxies.

usage: kubelet_test.py PATH_OF_orrery SOURCE_FOLDER
"""
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kubelet import LINES, Kubelet
from served import Cluster, Connection, Server, websocket_message


def openssl(folder, *args):
    subprocess.run(['openssl', *args], cwd=folder, check=True, capture_output=True)


def certificate(folder, authority):
    """A kubelet's certificate of an authority of its own."""
    openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{authority}.key',
            '-out', f'{authority}.crt', '-days', '2', '-subj', f'/CN={authority}')
    openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{authority}-kubelet.key',
            '-out', 'kubelet.csr', '-subj', '/O=system:nodes/CN=system:node:n1')
    with open(os.path.join(folder, 'kubelet.ext'), 'w') as out:
        out.write('subjectAltName=IP:127.0.0.1\n')
    openssl(folder, 'x509', '-req', '-in', 'kubelet.csr', '-CA', f'{authority}.crt', '-CAkey', f'{authority}.key', '-CAcreateserial',
            '-days', '2', '-out', f'{authority}-kubelet.crt', '-extfile', 'kubelet.ext')


def pod(name, containers, node='n1', **more):
    return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name},
            'spec': dict({'nodeName': node, 'containers': [{'name': c, 'image': 'x'} for c in containers]}, **more)}


class Kubelets(Cluster):
    def setUp(self):
        super().setUp()
        certificate(self.folder, 'mine')
        file = lambda name: os.path.join(self.folder, name)
        self.server = Server(self.folder, '--kubelet-certificate-authority', file('mine.crt'))
        self.addCleanup(lambda: self.assertEqual(self.server.stop(), 0))
        self.kubelet = Kubelet(file('mine-kubelet.crt'), file('mine-kubelet.key'), self.server.path('pki', 'ca.crt'))
        self.addCleanup(self.kubelet.stop)
        self.post('/api/v1/namespaces/default/serviceaccounts', {'metadata': {'name': 'default'}})
        self.make_node('n1', self.kubelet.port)
        self.post('/api/v1/namespaces/default/pods', pod('web', ['main']))

    def make_node(self, name, port, **more):
        self.post('/api/v1/nodes', {'metadata': {'name': name}, 'status': dict({
            'addresses': [{'type': 'InternalIP', 'address': '127.0.0.1'}], 'daemonEndpoints': {'kubeletEndpoint': {'Port': port}}}, **more)})

    def post(self, path, body):
        code, answer = self.server.get(path, 'admin-token', 'POST', json.dumps(body).encode())
        self.assertEqual(code, 201, answer)

    def refused(self, path, code, message, token='admin-token', method='GET'):
        got, answer = self.server.get(path, token, method)
        self.assertEqual(got, code, answer)
        self.assertEqual(json.loads(answer)['message'], message)
        return json.loads(answer)

    def ok(self, *args):
        done = self.kubectl(self.server, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def need_kubectl(self):
        if not shutil.which('kubectl'):
            self.skipTest('no kubectl')

    def popen(self, *args, **more):
        self.need_kubectl()
        process = subprocess.Popen(['kubectl', '--kubeconfig', self.server.path('admin.conf'), *args], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **more)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


POD = '/api/v1/namespaces/default/pods/web'


class Logs(Kubelets):
    def test_logs_come_from_the_kubelet_of_the_node(self):
        self.assertEqual(self.ok('logs', 'web').splitlines(), LINES)
        self.assertEqual(self.ok('logs', 'web', '--tail=2').splitlines(), LINES[-2:])
        self.ok('logs', 'web', '--previous', '--timestamps', '--since=90s', '--limit-bytes=1000')
        seen = self.kubelet.seen[-1]
        self.assertEqual(seen['path'], '/containerLogs/default/web/main?limitBytes=1000&previous=true&sinceSeconds=90&timestamps=true')
        self.assertEqual(seen['client'], {'organizationName': 'system:masters', 'commonName': 'kube-apiserver-kubelet-client'})
        self.assertNotIn('authorization', seen['headers'])
        self.assertTrue(self.kubelet.seen[0]['path'].startswith('/containerLogs/default/web/main'))

    def test_followed_lines_come_one_by_one_and_a_client_that_leaves_is_noticed(self):
        follower = self.popen('logs', '-f', '--tail=1', 'web')
        self.assertEqual(follower.stdout.readline().decode(), LINES[-1] + '\n')
        for text in (b'first\n', b'second\n'):
            self.kubelet.news.put(text)
            self.assertEqual(follower.stdout.readline(), text)
        follower.kill()
        for _ in range(100):
            self.kubelet.news.put(b'nobody listens\n')
            if self.kubelet.left.wait(0.1):
                return
        self.fail('the kubelet still believes that somebody listens')

    def test_a_reader_that_does_not_read_holds_the_kubelet_up(self):
        self.post('/api/v1/namespaces/default/pods', pod('big', ['flood']))
        connection = Connection(self.server)
        before = self.server.rss_mb()
        connection.ask('/api/v1/namespaces/default/pods/big/log?limitBytes=4000')  # 250 MiB
        time.sleep(1.5)
        held = self.kubelet.flooded
        time.sleep(1)
        self.assertEqual(self.kubelet.flooded, held)
        self.assertLess(held, 64 << 20)
        self.assertLess(self.server.rss_mb() - before, 40)
        received = 0
        while not connection.data.endswith(b'0\r\n\r\n'):
            received += len(connection.data) - 8
            connection.data = connection.data[-8:]
            connection.more()
        self.assertGreater(received, 4000 << 16)
        connection.close()

    def test_what_cannot_be_logged_is_refused_as_upstream_words_it(self):
        self.post('/api/v1/namespaces/default/pods', pod('two', ['a', 'b'], initContainers=[{'name': 'i', 'image': 'x'}]))
        self.post('/api/v1/namespaces/default/pods', pod('sick', ['waiting', 'missing']))
        self.post('/api/v1/namespaces/default/pods', pod('unplaced', ['c'], node=''))
        pods = '/api/v1/namespaces/default/pods'
        self.refused(f'{pods}/two/log', 400, 'a container name must be specified for pod two, choose one of: [i a b]')
        self.refused(f'{pods}/two/log?container=z', 400, 'container z is not valid for pod two')
        self.refused(f'{pods}/none/log', 404, 'pods "none" not found')
        wrong = self.refused(f'{pods}/web/log?tailLines=-1', 422,
                             'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0')
        self.assertEqual(wrong['details']['kind'], 'PodLogOptions')
        self.refused(f'{pods}/web/log?limitBytes=0', 422, 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0')
        self.refused(f'{pods}/web/log?sinceSeconds=0', 422, 'PodLogOptions "web" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0')
        self.refused(f'{pods}/web/log?tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax')
        self.refused(f'{pods}/sick/log?container=waiting', 400, 'container "waiting" in pod "web" is waiting to start: ContainerCreating')
        self.refused(f'{pods}/sick/log?container=missing', 404, 'the server could not find the requested resource ( pods/log sick)')
        self.assertEqual(self.server.get(f'{pods}/unplaced/log', 'admin-token'), (204, b''))
        self.assertEqual(self.server.get(f'{pods}/web/log', 'alice-token')[0], 403)
        self.assertEqual(self.server.get(f'{pods}/web/log', 'admin-token', 'POST', b'{}')[0], 405)

    def test_a_kubelet_that_cannot_be_reached_or_believed_is_named(self):
        certificate(self.folder, 'other')
        file = lambda name: os.path.join(self.folder, name)
        stranger = Kubelet(file('other-kubelet.crt'), file('other-kubelet.key'), self.server.path('pki', 'ca.crt'))
        self.addCleanup(stranger.stop)
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            closed = free.getsockname()[1]
        pods = '/api/v1/namespaces/default/pods'
        for name, port, why in (('down', closed, f'dial tcp 127.0.0.1:{closed}: connect: connection refused'),
                                ('strange', stranger.port, 'tls: failed to verify certificate: ')):
            self.make_node(name, port)
            self.post(pods, pod(name, ['c'], node=name))
            code, answer = self.server.get(f'{pods}/{name}/log', 'admin-token')
            message = json.loads(answer)['message']
            self.assertEqual(code, 500, message)
            self.assertTrue(message.startswith(f'Get "https://127.0.0.1:{port}/containerLogs/default/{name}/c": {why}'), message)
        self.assertEqual(stranger.seen, [])
        code, answer = self.server.get(f'{pods}/strange/log?insecureSkipTLSVerifyBackend=true', 'admin-token')
        self.assertEqual((code, answer.decode().splitlines()), (200, LINES))
        self.make_node('nowhere', 1, addresses=[{'type': 'Phone', 'address': '555'}])
        self.post(pods, pod('nowhere', ['c'], node='nowhere'))
        self.refused(f'{pods}/nowhere/log', 500, 'no preferred addresses found; known addresses: [{Phone 555}]')


class Commands(Kubelets):
    def both_ways(self):
        for websockets in ('true', 'false'):
            with self.subTest('websocket' if websockets == 'true' else 'SPDY'):
                yield dict(os.environ, KUBECTL_REMOTE_COMMAND_WEBSOCKETS=websockets, KUBECTL_PORT_FORWARD_WEBSOCKETS=websockets)

    def both_were_used(self):
        """What is translated is a request of the server's own, what is passed through one of the client's."""
        self.assertEqual({'x-forwarded-for' in s['headers'] for s in self.kubelet.seen}, {True, False})

    def run_in(self, env, *args, stdin=b''):
        self.need_kubectl()
        return subprocess.run(['kubectl', '--kubeconfig', self.server.path('admin.conf'), *args], input=stdin, capture_output=True, timeout=60, env=env)

    def test_exec_brings_output_errors_and_exit_codes(self):
        for env in self.both_ways():
            done = self.run_in(env, 'exec', 'web', '--', 'echo', 'a b', 'c&d')
            self.assertEqual((done.returncode, done.stdout), (0, b'a b c&d\n'), done.stderr)
            done = self.run_in(env, 'exec', 'web', '--', 'warn', 'careful')
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b'', b'careful\n'))
            done = self.run_in(env, 'exec', 'web', '--', 'exit', '7')
            self.assertEqual((done.returncode, done.stderr), (7, b'command terminated with exit code 7\n'))
        self.both_were_used()
        self.assertEqual({s['headers']['upgrade'] for s in self.kubelet.seen}, {'SPDY/3.1'})
        self.assertEqual({s['method'] for s in self.kubelet.seen}, {'POST'})

    def test_exec_carries_input_to_its_end_and_much_output(self):
        data = os.urandom(3 << 20)
        for env in self.both_ways():
            done = self.run_in(env, 'exec', '-i', 'web', '--', 'wc', stdin=data)
            self.assertEqual(done.stdout.decode().split(), [str(len(data)), hashlib.md5(data).hexdigest()], done.stderr)
            done = self.run_in(env, 'exec', 'web', '--', 'zeros', '320')
            self.assertEqual(len(done.stdout), 20 << 20, done.stderr)

    def test_attach_reaches_the_kubelet(self):
        for env in self.both_ways():
            done = self.run_in(env, 'attach', 'web')
            self.assertIn(b'attached\n', done.stdout, done.stderr)
        self.assertTrue(all(s['path'].startswith('/attach/default/web/main?') for s in self.kubelet.seen))

    def test_ports_are_forwarded(self):
        class Hello(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        web = ThreadingHTTPServer(('127.0.0.1', 0), Hello)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (web.shutdown(), web.server_close()))
        self.server.get(POD + '/status', 'admin-token', 'PUT', json.dumps(dict(pod('web', ['main']), status={'phase': 'Running'})).encode())
        body = os.urandom(1 << 20)
        for env in self.both_ways():
            process = self.popen('port-forward', 'pod/web', f':{web.server_address[1]}', env=env)
            line = process.stdout.readline().decode()
            found = re.search(r'127\.0\.0\.1:(\d+)', line)
            self.assertTrue(found, line + (process.stderr.readline().decode() if not line else ''))
            for _ in range(2):
                done = subprocess.run(['curl', '-sS', '--max-time', '20', '--data-binary', '@-', f'http://127.0.0.1:{found[1]}/'], input=body,
                                      capture_output=True)
                self.assertEqual(done.stdout, body, done.stderr)
            self.end(process)
        self.both_were_used()

    def test_older_websocket_protocols_reach_the_kubelet_as_they_are(self):
        connection = Connection(self.server)
        head = connection.websocket(POD + '/exec?command=echo&command=hi&stdout=true', 'v4.channel.k8s.io')
        self.assertIn('101 Switching Protocols', head)
        self.assertIn('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=', head.lower())
        self.assertEqual(connection.message(), (2, b'\x01hi\n'))
        self.assertEqual(json.loads(connection.message()[1][1:])['status'], 'Success')
        connection.close()
        self.assertEqual(self.kubelet.seen[-1]['headers']['sec-websocket-protocol'], 'v4.channel.k8s.io')
        self.assertNotIn('authorization', self.kubelet.seen[-1]['headers'])

    def test_the_translated_protocol_frame_by_frame(self):
        connection = Connection(self.server)
        head = connection.websocket(POD + '/exec?command=wc&stdin=true&stdout=true', 'v5.channel.k8s.io, v4.channel.k8s.io')
        self.assertIn('sec-websocket-protocol: v5.channel.k8s.io', head.lower())
        self.assertIn('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=', head.lower())
        connection.sock.sendall(websocket_message(b'\x00abc') + websocket_message(b'', 9) + websocket_message(b'\xff\x00'))
        got = [connection.message() for _ in range(4)]
        self.assertEqual(got[0], (10, b''))
        self.assertEqual(got[1], (2, b'\x013 ' + hashlib.md5(b'abc').hexdigest().encode() + b'\n'))
        self.assertEqual(got[2], (2, b'\x03{"metadata":{},"status":"Success"}'))
        self.assertEqual(got[3], (8, b'\x03\xe8'))
        with self.assertRaises(EOFError):
            connection.more()
        connection.close()

    def test_what_is_no_upgrade_or_has_no_node_is_refused(self):
        self.post('/api/v1/namespaces/default/pods', pod('unplaced', ['c'], node=''))
        self.post('/api/v1/namespaces/default/pods', pod('bad', ['refused']))
        for what in ('exec', 'attach', 'portforward'):
            self.refused(f'/api/v1/namespaces/default/pods/unplaced/{what}', 400, 'pod unplaced does not have a host assigned')
            self.refused(f'{POD}/{what}', 400, 'Upgrade request required')
            self.assertEqual(self.server.get(f'{POD}/{what}', 'alice-token')[0], 403)
        connection = Connection(self.server)
        head = connection.ask('/api/v1/namespaces/default/pods/bad/exec?command=x', 'Connection: Upgrade', 'Upgrade: SPDY/3.1',
                              'X-Stream-Protocol-Version: v4.channel.k8s.io', method='POST')
        self.assertIn('500 Internal Server Error', head)
        connection.close()
        self.kubelet.stop()
        connection = Connection(self.server)
        connection.ask(POD + '/exec?command=x', 'Connection: Upgrade', 'Upgrade: SPDY/3.1', method='POST')
        while not connection.data.endswith(b'\n'):
            connection.more()
        self.assertEqual(json.loads(connection.data)['message'], f'error dialing backend: dial tcp 127.0.0.1:{self.kubelet.port}: connect: connection refused')
        connection.close()

    def test_a_server_that_ends_ends_its_tunnels(self):
        follower = self.popen('logs', '-f', '--tail=1', 'web')
        follower.stdout.readline()
        shell = self.popen('exec', '-i', 'web', '--', 'wc', stdin=subprocess.PIPE)
        for _ in range(100):
            if len(self.kubelet.seen) == 2:
                break
            time.sleep(0.1)
        self.server.process.terminate()
        shell.wait(timeout=20)
        follower.wait(timeout=20)

    def test_a_tunnel_that_opens_while_the_server_ends_is_closed(self):
        self.kubelet.upgrades.clear()
        shell = self.popen('exec', '-i', 'web', '--', 'wc', stdin=subprocess.PIPE)
        for _ in range(100):
            if self.kubelet.seen:
                break
            time.sleep(0.1)
        self.server.process.terminate()
        time.sleep(0.5)
        self.kubelet.upgrades.set()
        shell.wait(timeout=20)


class Proxies(Kubelets):
    def test_a_node_answers_through_its_kubelet(self):
        node = '/api/v1/nodes/n1/proxy'
        code, answer = self.server.get(f'{node}/stats/a%20b/../summary?only=x%26y', 'admin-token')
        told = json.loads(answer)
        self.assertEqual((code, told['path']), (200, '/stats/summary?only=x%26y'))
        self.assertNotIn('authorization', told['headers'])
        self.assertEqual(told['headers']['x-forwarded-uri'], '/api/v1/nodes/n1/proxy/stats/summary')
        code, answer = self.server.get(f'/api/v1/nodes/n1:{self.kubelet.port}/proxy/run/', 'admin-token', 'POST', b'{"a":1}')
        self.assertEqual((code, json.loads(answer)['body'], json.loads(answer)['path']), (201, '{"a":1}', '/run/'))
        self.assertEqual(self.server.get(f'{node}/x', 'alice-token')[0], 403)
        self.refused('/api/v1/nodes/n1:1/proxy/x', 400, 'address not allowed')
        self.refused('/api/v1/nodes/ftp:n1:1/proxy/x', 400, 'invalid node request "ftp:n1:1"')
        self.refused('/api/v1/nodes/none/proxy/x', 404, 'nodes "none" not found')
        connection = Connection(self.server)
        head = connection.ask(f'{node}?a=b')
        self.assertIn('301 Moved Permanently', head)
        self.assertIn('location: /api/v1/nodes/n1/proxy/?a=b', head.lower())
        head = connection.ask(f'{node}/x', method='HEAD')
        self.assertIn('x-head: yes', head.lower())
        connection.close()

    def test_links_of_what_is_proxied_lead_through_the_proxy(self):
        node = '/api/v1/nodes/n1/proxy'
        code, page = self.server.get(f'{node}/page/', 'admin-token')
        self.assertEqual(code, 200)
        self.assertEqual(page.decode(), f'<html><a href="{node}/pods">pods</a> <a href="other">/other</a></html>')
        connection = Connection(self.server)
        head = connection.ask(f'{node}/moved').lower()
        self.assertIn(f'location: {node}/page/?a=/b\r', head)
        self.assertNotIn('access-control', head)
        connection.close()
        told = json.loads(self.server.get(f'{node}/x', 'admin-token')[1])['headers']
        self.assertEqual(told['host'], self.server.url.split('//')[1])
        self.assertNotIn('x-forwarded-host', told)

    def test_pods_and_services_of_this_machine_are_not_reached(self):
        def status(ip):
            body = dict(pod('web', ['main']), status={'phase': 'Running', 'podIP': ip, 'podIPs': [{'ip': ip}]})
            self.assertEqual(self.server.get(POD + '/status', 'admin-token', 'PUT', json.dumps(body).encode())[0], 200)
        self.refused(f'{POD}/proxy/x', 400, 'address not allowed')
        status('127.0.0.1')
        self.refused(f'{POD}:80/proxy/x', 400, 'address not allowed')
        self.refused('/api/v1/namespaces/default/pods/a:b:c:d/proxy/x', 400, 'invalid pod request "a:b:c:d"')
        service = '/api/v1/namespaces/default/services'
        self.post(service, {'metadata': {'name': 's'}, 'spec': {'ports': [{'port': 80, 'name': 'http'}]}})
        self.refused(f'{service}/s/proxy/', 404, 'services "s" not found')
        self.refused(f'{service}/s:81/proxy/', 503, 'no service port 81 found for service "s"')
        self.post('/api/v1/namespaces/default/endpoints', {'metadata': {'name': 's'}})
        self.refused(f'{service}/s:80/proxy/', 503, 'no endpoints available for service "s"')
        self.post('/api/v1/namespaces/default/endpoints', {'metadata': {'name': 't'}, 'subsets': [
            {'addresses': [{'ip': '10.9.9.9'}], 'ports': [{'name': 'http', 'port': 80}]}]})
        self.refused(f'{service}/https:t:http/proxy/', 503, 'no endpoints available for service "https:t:http"')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
