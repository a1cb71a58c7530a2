"""What the suites that start `orrery apiserver` share: a server of their own, on loopback."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

BINARY = os.path.abspath(sys.argv[1])
TOKENS = 'admin-token,admin,u1,"system:masters"\nalice-token,alice,u2,"dev,qa"\n'


def read(path):
    with open(path) as handle:
        return handle.read()


class Server:
    def __init__(self, folder, *args, command=None):
        self.folder = folder
        tokens = os.path.join(folder, 'tokens.csv')
        with open(tokens, 'w') as out:
            out.write(TOKENS)
        command = command or ['apiserver', '--token-auth-file', tokens]
        self.process = subprocess.Popen(
            [BINARY, *command, '--data-dir', os.path.join(folder, 'data'), '--bind-address', '127.0.0.1', '--secure-port', '0',
             *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError('no ready line: ' + self.process.stderr.read())
        self.url = json.loads(line)['url']
        assert re.fullmatch(r'https://127\.0\.0\.1:\d+', self.url), self.url

    def path(self, *parts):
        return os.path.join(self.folder, 'data', *parts)

    def get(self, path, token=None, method='GET', body=None):
        context = ssl.create_default_context(cafile=self.path('pki', 'ca.crt'))
        request = urllib.request.Request(self.url + path, method=method, data=body)
        if token:
            request.add_header('Authorization', 'Bearer ' + token)
        if body:
            request.add_header('Content-Type', 'application/json')
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def rss_mb(self):
        with open('/proc/%d/status' % self.process.pid) as status:
            return int(re.search(r'VmRSS:\s+(\d+) kB', status.read())[1]) / 1024

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        self.process.stdout.close()
        said = self.process.stderr.read()
        self.process.stderr.close()
        code = self.process.wait(timeout=30)
        if code not in (0, -with_signal):
            print(f'the server ended with {code}:\n{said}', file=sys.stderr)
        return code


def websocket_message(data, opcode=2):
    """A client's frame, masked with zeros."""
    size = len(data)
    head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else b'\xfe' + struct.pack('>H', size) if size < 65536
                                     else b'\xff' + struct.pack('>Q', size))
    return head + bytes(4) + data


class Connection:
    """One HTTP/1.1 connection as a client sees it, byte by byte."""

    def __init__(self, server, token='admin-token'):
        port = int(server.url.rsplit(':', 1)[1])
        context = ssl.create_default_context(cafile=server.path('pki', 'ca.crt'))
        self.sock = context.wrap_socket(socket.create_connection(('127.0.0.1', port), timeout=30), server_hostname='localhost')
        self.token, self.data = token, b''

    def ask(self, path, *fields, method='GET'):
        lines = [f'{method} {path} HTTP/1.1', 'Host: x', f'Authorization: Bearer {self.token}', *fields, '', '']
        self.sock.sendall('\r\n'.join(lines).encode())
        while b'\r\n\r\n' not in self.data:
            self.more()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        return head.decode()

    def websocket(self, path, protocol, key='dGhlIHNhbXBsZSBub25jZQ=='):
        return self.ask(path, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', f'Sec-WebSocket-Key: {key}',
                        f'Sec-WebSocket-Protocol: {protocol}')

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.data += data

    def exactly(self, size):
        while len(self.data) < size:
            self.more()
        data, self.data = self.data[:size], self.data[size:]
        return data

    def message(self):
        """(opcode, payload) of a server's frame."""
        first, size = self.exactly(2)
        if size == 126:
            size = struct.unpack('>H', self.exactly(2))[0]
        elif size == 127:
            size = struct.unpack('>Q', self.exactly(8))[0]
        return first & 15, self.exactly(size)

    def close(self):
        self.sock.close()


class Cluster(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def kubectl(self, server, *args):
        if not shutil.which('kubectl'):
            self.skipTest('no kubectl')
        return subprocess.run(['kubectl', '--kubeconfig', server.path('admin.conf'), '--cache-dir', os.path.join(self.folder, 'cache'), *args],
                              capture_output=True, text=True, timeout=60)
