"""A kubelet's HTTPS server: /containerLogs, /exec, /attach and /portForward as kubelets of v1.32 answer them, over
SPDY/3.1 and WebSocket (v4.channel.k8s.io); /page is HTML, /moved leads there, any other path answers with the
request. What it runs is made up."""
import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import spdy

LINES = ['line %d' % i for i in range(1, 101)]


def status(code):
    if code == 0:
        return json.dumps({'metadata': {}, 'status': 'Success'}).encode()
    return json.dumps({'metadata': {}, 'status': 'Failure', 'reason': 'NonZeroExitCode', 'details': {
        'causes': [{'reason': 'ExitCode', 'message': str(code)}]},
        'message': 'command terminated with non-zero exit code: error executing command, exit code %d' % code}).encode()


def run(words, stdin, stdout, stderr, resize=None):
    """The programs that a container has; the exit code."""
    name, rest = words[0], words[1:]
    if name == 'echo':
        stdout.write((' '.join(rest) + '\n').encode())
    elif name == 'warn':
        stderr.write((' '.join(rest) + '\n').encode())
    elif name == 'exit':
        return int(rest[0])
    elif name == 'wc':
        size, digest = 0, hashlib.md5()
        while data := stdin.read():
            size += len(data)
            digest.update(data)
        stdout.write(b'%d %s\n' % (size, digest.hexdigest().encode()))
    elif name == 'zeros':
        for _ in range(int(rest[0])):
            stdout.write(bytes(1024 * 64))
    elif name == 'size':
        stdout.write(resize.read())
    else:
        return 127
    return 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        parts = url.path.strip('/').split('/')
        self.server.seen.append({'method': self.command, 'path': self.path, 'headers': {k.lower(): v for k, v in self.headers.items()},
                                 'client': self.subject()})
        if parts[0] == 'containerLogs':
            return self.logs(parts[3], query)
        upgrade = self.headers.get('Upgrade', '').lower()
        if upgrade and parts[0] in ('exec', 'attach', 'portForward'):
            if parts[-1] == 'refused':
                return self.answer(500, b'no such container')
            return {'spdy/3.1': self.over_spdy, 'websocket': self.over_websocket}[upgrade](parts[0], query)
        if parts[0] == 'page':
            return self.answer(200, b'<html><a href="/pods">pods</a> <a href="other">/other</a></html>', 'text/html; charset=utf-8')
        if parts[0] == 'moved':
            self.send_response(302)
            self.send_header('Location', '/page/?a=/b')
            self.send_header('Access-Control-Allow-Origin', '*')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.answer(201 if self.command == 'POST' else 200, json.dumps(
            {'method': self.command, 'path': self.path, 'body': body.decode(), 'headers': self.server.seen[-1]['headers']}).encode(),
            'application/json')

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def do_HEAD(self):
        self.send_response(200)
        self.send_header('X-Head', 'yes')
        self.send_header('Content-Length', '10')
        self.end_headers()

    def subject(self):
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        return dict(pair[0] for pair in certificate['subject']) if certificate else {}

    def answer(self, code, body, kind='text/plain; charset=utf-8'):
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
        self.wfile.flush()

    def logs(self, container, query):
        if container == 'waiting':
            return self.answer(400, b'container "waiting" in pod "web" is waiting to start: ContainerCreating')
        if container == 'missing':
            return self.answer(404, b'pod "web" not found')
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        if container == 'flood':  # as much as the reader takes
            try:
                for _ in range(int(query.get('limitBytes', ['10'])[0])):
                    self.chunk(bytes(1 << 16))
                    self.server.flooded += 1 << 16
                return self.chunk(b'')
            except OSError:
                return None
        lines = LINES[-int(query['tailLines'][0]):] if 'tailLines' in query else LINES
        self.chunk(''.join(line + '\n' for line in lines).encode())
        if 'follow' in query:
            try:
                while not self.server.quiet.is_set():
                    self.chunk(self.server.news.get())
            except OSError:
                self.server.left.set()
                return None
        self.chunk(b'')

    def switch(self, fields):
        self.server.upgrades.wait(10)
        self.send_response(101)
        for name, value in [('Connection', 'Upgrade')] + fields:
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def over_spdy(self, what, query):
        offered = [p.strip() for line in self.headers.get_all('X-Stream-Protocol-Version', []) for p in line.split(',')]
        wanted = 'portforward.k8s.io' if what == 'portForward' else 'v4.channel.k8s.io'
        if wanted not in offered:
            return self.answer(403, b'unable to upgrade: unable to negotiate protocol')
        self.switch([('Upgrade', 'SPDY/3.1'), ('X-Stream-Protocol-Version', wanted)])
        if what == 'portForward':
            connection = spdy.Connection(self.connection, self.forward_port)
            with connection.changed:
                connection.changed.wait_for(lambda: connection.over)
            return None
        types = ['error'] + [name for name, flag in (('stdin', 'input'), ('stdout', 'output')) if flag in query]
        types += ['resize'] if 'tty' in query else ['stderr'] if 'error' in query else []
        connection = spdy.Connection(self.connection)
        streams = connection.wait_for(*types)
        code = run(query.get('command', ['echo', 'attached']), streams.get('stdin'), streams.get('stdout'), streams.get('stderr'), streams.get('resize'))
        for name in ('stdout', 'stderr'):
            if name in streams:
                streams[name].close()
        streams['error'].write(status(code), last=True)
        with connection.changed:
            connection.changed.wait_for(lambda: connection.over, timeout=10)

    def forward_port(self, stream):
        if stream.fields.get('streamtype') != 'data':
            return
        with socket.create_connection(('127.0.0.1', int(stream.fields['port']))) as there:
            def up():
                try:
                    while data := stream.read():
                        there.sendall(data)
                    there.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # it has said all
            threading.Thread(target=up, daemon=True).start()
            while data := there.recv(65536):
                stream.write(data)
        stream.close()
        for other in list(stream.connection.streams.values()):
            if other.fields.get('requestid') == stream.fields['requestid'] and other.fields['streamtype'] == 'error':
                other.close()

    def over_websocket(self, what, query):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.switch([('Upgrade', 'websocket'), ('Sec-WebSocket-Accept', accept), ('Sec-WebSocket-Protocol', 'v4.channel.k8s.io')])

        class Channel:
            def __init__(self, number, out):
                self.number, self.out = number, out

            def write(self, data):
                data = bytes([self.number]) + data
                head = bytes([0x82, len(data)]) if len(data) < 126 else b'\x82\x7e' + struct.pack('>H', len(data))
                self.out.write(head + data)
        channels = [Channel(number, self.wfile) for number in range(4)]
        code = run(query['command'], None, channels[1], channels[2])
        channels[3].write(status(code))
        self.wfile.write(b'\x88\x02\x03\xe8')
        self.wfile.flush()
        time.sleep(0.2)


class News:
    """Lines that a container prints while it is watched."""

    def __init__(self):
        self.lines, self.changed = [], threading.Condition()

    def put(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def get(self):
        with self.changed:
            self.changed.wait_for(lambda: self.lines)
            return self.lines.pop(0)


class Kubelet(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None, key=None, client_ca=None):
        super().__init__(('127.0.0.1', 0), Handler)
        self.seen, self.flooded, self.news = [], 0, News()
        self.quiet, self.left, self.upgrades = threading.Event(), threading.Event(), threading.Event()
        self.upgrades.set()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def stop(self):
        self.quiet.set()
        self.news.put(b'')
        self.shutdown()
        self.server_close()
