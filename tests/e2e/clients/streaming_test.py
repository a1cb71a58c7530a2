"""kubectl exec and port-forward through `orrery apiserver` to upstream's streaming server of kubelets.

usage: streaming_test.py PATH_OF_orrery FOLDER_FOR_MODULES
"""
import errno
import hashlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from apiserver import Apiserver, run, skip
from golang import go_environment, require_go

BINARY, MODULES = sys.argv[1:3]


def build():
    module = os.path.join(os.path.abspath(MODULES), 'streaming')
    shutil.copytree(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'streaming'), module, dirs_exist_ok=True)
    fetched = run('go', 'mod', 'download', cwd=module, env=go_environment(), timeout=600)
    if fetched.returncode != 0:
        skip('the modules cannot be fetched: ' + fetched.stderr)
    built = run('go', 'build', '-mod=mod', '-o', 'streaming', '.', cwd=module, env=go_environment(), timeout=900)
    assert built.returncode == 0, built.stderr
    return os.path.join(module, 'streaming')


def read_terminal(terminal):
    """All that comes until nobody has the other side open any more."""
    with open(terminal, 'rb', buffering=0) as file:
        pieces = []
        try:
            while piece := file.read(4096):
                pieces.append(piece)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        return b''.join(pieces)


class Echo(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Streaming(unittest.TestCase):
    """Every test once over WebSocket, as kubectl asks first, and once over SPDY."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        file = lambda name: os.path.join(cls.folder, name)
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key'), '-out', file('crt'),
            '-days', '2', '-subj', '/CN=kubelet', '-addext', 'subjectAltName=IP:127.0.0.1')
        cls.server = Apiserver(BINARY, cls.folder)
        cls.kubelet = subprocess.Popen([PROGRAM, file('crt'), file('key')], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = int(cls.kubelet.stdout.readline())
        cls.create({'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': {'name': 'default'}})
        cls.create({'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': 'n'}, 'status': {
            'addresses': [{'type': 'InternalIP', 'address': '127.0.0.1'}], 'daemonEndpoints': {'kubeletEndpoint': {'Port': port}}}})
        cls.create({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'p'}, 'spec': {'nodeName': 'n', 'containers': [{'name': 'c', 'image': 'i'}]}})
        cls.kubectl('patch', 'pod', 'p', '--subresource=status', '-p', '{"status":{"phase":"Running"}}')

    @classmethod
    def tearDownClass(cls):
        cls.kubelet.kill()
        cls.kubelet.wait()
        cls.kubelet.stdout.close()
        assert cls.server.stop() == 0, 'the server did not end well'

    @classmethod
    def command(cls, *args):
        return ['kubectl', '--kubeconfig', cls.server.kubeconfig, '--cache-dir', os.path.join(cls.folder, 'cache'), *args]

    @classmethod
    def kubectl(cls, *args, websocket='true', stdin=b''):
        return subprocess.run(cls.command(*args), input=stdin, capture_output=True, timeout=60, env=cls.environment(websocket))

    @staticmethod
    def environment(websocket):
        return dict(os.environ, KUBECTL_REMOTE_COMMAND_WEBSOCKETS=websocket, KUBECTL_PORT_FORWARD_WEBSOCKETS=websocket)

    @classmethod
    def create(cls, thing):
        done = cls.kubectl('create', '--validate=false', '-f', '-', stdin=json.dumps(thing).encode())
        assert done.returncode == 0, done.stderr

    def both(self):
        for websocket in ('true', 'false'):
            with self.subTest(websocket=websocket):
                yield websocket

    def test_output_errors_and_exit_codes(self):
        for websocket in self.both():
            done = self.kubectl('exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 5', websocket=websocket)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (5, b'out\n', b'err\ncommand terminated with exit code 5\n'))
            done = self.kubectl('exec', 'p', '--', 'no-such-program', websocket=websocket)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b'Internal error occurred: error executing command in container', done.stderr)

    def test_input_to_its_end_and_much_output(self):
        data = os.urandom(3 << 20)
        for websocket in self.both():
            done = self.kubectl('exec', '-i', 'p', '--', 'md5sum', websocket=websocket, stdin=data)
            self.assertEqual(done.stdout.split()[0].decode(), hashlib.md5(data).hexdigest(), done.stderr)
            done = self.kubectl('exec', 'p', '--', 'head', '-c', '20000000', '/dev/zero', websocket=websocket)
            self.assertEqual(len(done.stdout), 20000000, done.stderr)

    def test_terminals_have_their_size(self):
        for websocket in self.both():
            ours, theirs = pty.openpty()
            termios.tcsetwinsize(theirs, (33, 99))
            client = subprocess.Popen(self.command('exec', '-it', 'p', '--', 'terminal-size'), stdin=theirs, stdout=theirs, stderr=theirs,
                                      start_new_session=True, env=self.environment(websocket))
            os.close(theirs)
            self.assertIn(b'99 33', read_terminal(ours))
            self.assertEqual(client.wait(60), 0)

    def test_ports_are_forwarded(self):
        web = ThreadingHTTPServer(('127.0.0.1', 0), Echo)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (web.shutdown(), web.server_close()))
        body = os.urandom(3 << 20)
        for websocket in self.both():
            forward = subprocess.Popen(self.command('port-forward', 'pod/p', f':{web.server_address[1]}'), stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, env=self.environment(websocket))
            try:
                port = re.search(r'127\.0\.0\.1:(\d+)', forward.stdout.readline())[1]
                for _ in range(3):
                    done = subprocess.run(['curl', '-sS', '--max-time', '30', '--data-binary', '@-', f'http://127.0.0.1:{port}/'], input=body,
                                          capture_output=True)
                    self.assertEqual(done.stdout, body, done.stderr)
            finally:
                forward.kill()
                forward.wait()
                forward.stdout.close()


if __name__ == '__main__':
    require_go()
    if not shutil.which('kubectl'):
        skip('no kubectl')
    PROGRAM = build()
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
