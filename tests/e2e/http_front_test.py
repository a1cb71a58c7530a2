"""The HTTP front over real sockets: HTTP/1.1 and HTTP/2, TLS, limits, hostile peers, shutdown.

usage: http_front_test.py PATH_OF_http_front
"""
import gzip
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = os.path.abspath(sys.argv[1])
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'


def openssl(folder, *args):
    subprocess.run(['openssl', *args], cwd=folder, check=True, capture_output=True)


def make_pki(folder):
    """Two authorities; a server of the first, a client of each."""
    for ca in ('ca', 'other'):
        openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', f'{ca}.key', '-out', f'{ca}.crt', '-days', '2', '-subj', f'/CN={ca}')
    with open(os.path.join(folder, 'server.ext'), 'w') as out:
        out.write('subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n')
    with open(os.path.join(folder, 'client.ext'), 'w') as out:
        out.write('extendedKeyUsage=clientAuth\n')
    for name, ca, ext, subject in (('server', 'ca', 'server', '/CN=server'),
                                   ('alice', 'ca', 'client', '/O=dev/O=qa/CN=alice'),
                                   ('mallory', 'other', 'client', '/O=system:masters/CN=admin'),
                                   ('wronguse', 'ca', 'server', '/O=system:masters/CN=admin')):
        openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                f'{name}.key', '-out', f'{name}.csr', '-subj', subject)
        openssl(folder, 'x509', '-req', '-in', f'{name}.csr', '-CA', f'{ca}.crt', '-CAkey', f'{ca}.key',
                '-CAcreateserial', '-days', '2', '-out', f'{name}.crt', '-extfile', f'{ext}.ext')


class Front:
    def __init__(self, *args):
        self.process = subprocess.Popen([BINARY, *args], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rsplit(':', 1)[1])

    def connect(self):
        sock = socket.create_connection(('127.0.0.1', self.port))
        sock.settimeout(20)
        return sock

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        return self.process.wait(timeout=30)


def read_all(sock):
    """What comes until the peer closes; a reset counts as the end."""
    data = b''
    try:
        while chunk := sock.recv(65536):
            data += chunk
    except ConnectionError:
        pass
    return data


def read_head(sock):
    data = b''
    while b'\r\n\r\n' not in data:
        chunk = sock.recv(1)
        if not chunk:
            break
        data += chunk
    return data


def read_response(sock):
    head = read_head(sock)
    length = 0
    for line in head.split(b'\r\n'):
        if line.lower().startswith(b'content-length:'):
            length = int(line.split(b':')[1])
    body = b''
    while len(body) < length:
        body += sock.recv(length - len(body))
    return head, body


def curl(*args):
    return subprocess.run(['curl', '-sS', '--max-time', '30', *args], capture_output=True)


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def get_headers(path=b'/echo'):
    """HPACK: GET, http, path and authority as literals without indexing."""
    return b'\x82\x86\x04' + bytes([len(path)]) + path + b'\x01\x01x'


class Plain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.front = Front('--fast-limits')

    @classmethod
    def tearDownClass(cls):
        assert cls.front.stop() == 0

    def raw(self, data):
        with self.front.connect() as sock:
            try:
                sock.sendall(data)
            except ConnectionError:
                pass
            return read_all(sock)

    def stats(self):
        return json.loads(curl(self.front.url + '/stats').stdout)

    def alive(self):
        self.assertEqual(curl(self.front.url + '/echo').returncode, 0)

    def test_method_path_query_headers_and_body_arrive(self):
        out = json.loads(curl('-d', 'body', '-H', 'X-Thing: a b', self.front.url + '/echo?q=1&r=%20').stdout)
        self.assertEqual((out['method'], out['path'], out['query'], out['body']), ('POST', '/echo', 'q=1&r=%20', 'body'))
        self.assertEqual(out['headers']['x-thing'], 'a b')
        self.assertTrue(out['remote'].startswith('127.0.0.1:'))

    def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(self):
        with self.front.connect() as sock:
            sock.sendall(b''.join(b'GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n' % i for i in range(50)))
            for i in range(50):
                self.assertEqual(json.loads(read_response(sock)[1])['query'], str(i))

    def test_what_is_sent_far_ahead_waits_in_the_kernel(self):
        with self.front.connect() as sock:
            sock.settimeout(1)
            sock.sendall(b'GET /hold HTTP/1.1\r\nHost: x\r\n\r\n')
            with self.assertRaises(TimeoutError):
                for _ in range(1000):
                    sock.sendall(b'G' * 65536)

    def test_chunked_bodies_in_any_pieces(self):
        message = b'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n'
        for step in (1, 7, len(message)):
            with self.front.connect() as sock:
                for i in range(0, len(message), step):
                    sock.sendall(message[i:i + step])
                self.assertEqual(json.loads(read_response(sock)[1])['body'], 'hello0123456789')

    def test_expect_100_continue(self):
        with self.front.connect() as sock:
            sock.sendall(b'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
            self.assertEqual(read_head(sock), b'HTTP/1.1 100 Continue\r\n\r\n')
            sock.sendall(b'ok')
            self.assertEqual(json.loads(read_response(sock)[1])['body'], 'ok')
        self.assertTrue(self.raw(b'POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n').startswith(b'HTTP/1.1 417 '))

    def test_head_has_the_length_and_no_body(self):
        with self.front.connect() as sock:
            sock.sendall(b'HEAD /bytes?1000 HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n')
            self.assertIn(b'Content-Length: 1000', read_head(sock))
            self.assertTrue(read_head(sock).startswith(b'HTTP/1.1 200 '))

    def test_http10_is_closed_after_the_answer(self):
        data = self.raw(b'GET /echo HTTP/1.0\r\n\r\n')
        self.assertTrue(data.startswith(b'HTTP/1.1 200 ') and b'Connection: close' in data)
        stream = self.raw(b'GET /flood?2 HTTP/1.0\r\n\r\n')
        self.assertNotIn(b'chunked', stream)
        self.assertTrue(stream.endswith(b'\r\n\r\n' + b'f' * 2048))

    def test_large_answers_are_compressed_if_wanted(self):
        for extra, large, compressed in ((['-H', 'Accept-Encoding: gzip'], 200000, True),
                                         (['-H', 'Accept-Encoding: gzip'], 100000, False), ([], 200000, False),
                                         (['-H', 'Accept-Encoding: deflate, gzip;q=0'], 200000, False)):
            for protocol in ('--http1.1', '--http2-prior-knowledge'):
                done = curl('-D', '-', protocol, *extra, f'{self.front.url}/bytes?{large}').stdout
                head, body = done.split(b'\r\n\r\n', 1)
                self.assertEqual(b'content-encoding: gzip' in head.lower(), compressed)
                self.assertEqual(gzip.decompress(body) if compressed else body, b'x' * large)

    def test_bodies_up_to_three_mebibytes(self):
        limit = 3 << 20
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            for size, code in ((limit, b'200'), (limit + 1, b'413')):
                with tempfile.NamedTemporaryFile() as body:
                    body.write(b'b' * size)
                    body.flush()
                    for how in ([], ['-H', 'Transfer-Encoding: chunked'] if protocol == '--http1.1' else ['-H', 'Content-Length:']):
                        done = curl('-w', '\n%{http_code}', protocol, *how, '--data-binary', '@' + body.name, self.front.url + '/echo').stdout
                        self.assertEqual(done[-3:], code, (protocol, size, how))
                        if code == b'413':
                            status = json.loads(done[:-3])
                            self.assertEqual(status['message'], 'Request entity too large: limit is 3145728')
        self.alive()

    def test_ambiguous_requests_are_refused_and_the_connection_closed(self):
        head = b'POST /echo HTTP/1.1\r\nHost: x\r\n'
        cases = {
            'both lengths': head + b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
            'both lengths, other order': head + b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
            'two lengths': head + b'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
            'two equal lengths': head + b'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
            'list of lengths': head + b'Content-Length: 5, 5\r\n\r\nhello',
            'signed length': head + b'Content-Length: +5\r\n\r\nhello',
            'negative length': head + b'Content-Length: -5\r\n\r\nhello',
            'hexadecimal length': head + b'Content-Length: 0x5\r\n\r\nhello',
            'empty length': head + b'Content-Length:\r\n\r\n',
            'huge length': head + b'Content-Length: 99999999999999999999\r\n\r\n',
            'unknown coding': head + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
            'hidden coding': head + b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
            'two codings': head + b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
            'coding with a tab inside': head + b'Transfer-Encoding: chu\tnked\r\n\r\n0\r\n\r\n',
            'coding in HTTP/1.0': b'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
            'folded line': head + b'X: a\r\n b\r\n\r\n',
            'folded coding': head + b'Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n',
            'blank before the colon': head + b'Content-Length : 5\r\n\r\nhello',
            'blank before the name': head + b' Content-Length: 5\r\n\r\nhello',
            'no name': head + b': x\r\n\r\n',
            'no colon': head + b'Nonsense\r\n\r\n',
            'bare LF': b'GET /echo HTTP/1.1\nHost: x\n\n',
            'bare LF in a field': head + b'X: a\nContent-Length: 5\r\n\r\nhello',
            'bare CR in a field': head + b'X: a\rContent-Length: 5\r\n\r\nhello',
            'NUL in a value': head + b'X: a\0b\r\n\r\n',
            'NUL in a name': head + b'X\0: a\r\n\r\n',
            'high byte in a name': head + b'X\xff: a\r\n\r\n',
            'no host': b'GET /echo HTTP/1.1\r\n\r\n',
            'two hosts': b'GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
            'two blanks in the request line': b'GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n',
            'a blank in the target': b'GET /echo x HTTP/1.1\r\nHost: x\r\n\r\n',
            'a tab in the request line': b'GET\t/echo HTTP/1.1\r\nHost: x\r\n\r\n',
            'high byte in the target': b'GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n',
            'relative target': b'GET echo HTTP/1.1\r\nHost: x\r\n\r\n',
            'foreign scheme': b'GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n',
            'CONNECT': b'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n',
            'fragment': b'GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n',
            'HTTP/0.9': b'GET /echo\r\n\r\n',
            'HTTP/3.0': b'GET /echo HTTP/3.0\r\nHost: x\r\n\r\n',
            'lower-case http': b'GET /echo http/1.1\r\nHost: x\r\n\r\n',
            'leading empty line': b'\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n',
            'TLS on a plain port': b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
            'chunk size empty': head + b'Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n',
            'chunk size signed': head + b'Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n',
            'chunk size with 0x': head + b'Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
            'chunk size with blank': head + b'Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n',
            'chunk size too long': head + b'Transfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n0\r\n\r\n',
            'chunk extension with bare LF': head + b'Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n',
            'chunk line ended by LF': head + b'Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
            'chunk longer than its size': head + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n',
            'chunk without its CRLF': head + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n',
        }
        smuggled = b'GET /echo?smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
        for name, request in cases.items():
            with self.subTest(name):
                data = self.raw(request + smuggled)
                self.assertRegex(data[:13], rb'^HTTP/1\.1 (400|413|501|505) ', data)
                self.assertEqual(data.count(b'HTTP/1.1 '), 1)
                self.assertIn(b'Connection: close', data)
                self.assertNotIn(b'smuggled', data)
        self.alive()

    def test_heads_beyond_the_limit(self):
        for request in (b'GET /' + b'a' * 70000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
                        b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 70000 + b'\r\n\r\n',
                        b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X: a\r\n' * 5000 + b'\r\n',
                        b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X: a\r\n' * 300 + b'\r\n'):
            self.assertTrue(self.raw(request).startswith(b'HTTP/1.1 431 '))
        done = curl('--http2-prior-knowledge', '-w', '%{http_code}', '-o', '/dev/null', '-H', 'X: ' + 'a' * 70000, self.front.url + '/echo')
        self.assertIn(done.stdout[-3:], (b'431', b'000'))
        self.alive()

    def test_slow_heads_and_bodies_are_cut_off(self):
        for data in (b'GET /echo HTTP/1.1\r\n', b'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab'):
            with self.front.connect() as sock:
                sock.sendall(data)
                deadline = time.monotonic() + 15
                got = b''
                try:
                    while time.monotonic() < deadline:
                        sock.settimeout(0.2)
                        try:
                            chunk = sock.recv(1000)
                            if not chunk:
                                break
                            got += chunk
                        except TimeoutError:
                            sock.sendall(b'a')
                except ConnectionError:
                    pass
                self.assertTrue(got.startswith(b'HTTP/1.1 408 '), got)

    def test_silent_connections_are_closed(self):
        for first in (b'', b'P', PREFACE + frame(4, 0, 0), b'GET /echo HTTP/1.1\r\nHost: x\r\n\r\n'):
            with self.front.connect() as sock:
                sock.sendall(first)
                read_all(sock)

    def test_a_peer_that_does_not_read_its_answer_is_cut_off(self):
        with self.front.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b'GET /bytes?50000000 HTTP/1.1\r\nHost: x\r\n\r\n')
            time.sleep(5)
            self.assertLess(len(read_all(sock)), 50000000)

    def test_too_many_connections_are_turned_away(self):
        socks = [self.front.connect() for _ in range(80)]
        turned_away = 0
        for sock in socks[50:]:
            turned_away += read_all(sock) == b''
        self.assertGreater(turned_away, 20)
        for sock in socks:
            sock.close()
        time.sleep(0.1)
        self.alive()

    def test_a_vanished_peer_is_reported_once(self):
        before = self.stats()['gone']
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            for path in ('/hold', '/?watch=true'):
                curl(protocol, '--max-time', '0.5', self.front.url + path)
        self.assertEqual(self.stats()['gone'], before + 4)

    def test_streams_come_in_pieces_as_they_are_written(self):
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            watch = subprocess.Popen(['curl', '-sSN', protocol, self.front.url + '/pods?watch=true'], stdout=subprocess.PIPE)
            time.sleep(0.5)
            for i in range(3):
                curl('-X', 'PATCH', '-d', f'"beat-{i}"', self.front.url + '/pods')
                self.assertEqual(json.loads(watch.stdout.readline())['object'], f'beat-{i}')
            watch.terminate()
            watch.stdout.close()
            watch.wait()

    def test_a_long_stream_arrives_whole_in_portions(self):
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            before = self.stats()['drained']
            self.assertEqual(curl(protocol, self.front.url + '/flood?40000').stdout, b'f' * (40000 << 10))
            self.assertGreaterEqual(self.stats()['drained'], before + 70)

    def test_a_stream_whose_reader_is_too_slow_is_cut(self):
        before = self.stats()
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            done = curl(protocol, self.front.url + '/spill')
            self.assertNotEqual(done.returncode, 0)
        after = self.stats()
        self.assertEqual((after['cut'], after['gone']), (before['cut'] + 2, before['gone'] + 2))

    def test_http2_floods_end_the_connection(self):
        hello = PREFACE + frame(4, 0, 0)
        resets = b''.join(frame(1, 5, i, get_headers()) + frame(3, 0, i, struct.pack('>I', 8)) for i in range(1, 20001, 2))
        floods = {
            'rapid reset': resets,
            'settings': frame(4, 0, 0, struct.pack('>HI', 4, 70000)) * 20000,
            'ping': frame(6, 0, 0, b'12345678') * 20000,
            'continuations': frame(1, 1, 1, get_headers()) + frame(9, 0, 1, b'\x00\x01a\x01b') * 20000,
            'settings entries': frame(4, 0, 0, struct.pack('>HI', 4, 70000) * 100),
            'garbage': os.urandom(20000),
        }
        for name, flood in floods.items():
            with self.subTest(name), self.front.connect() as sock:
                try:
                    sock.sendall(hello + flood)
                except ConnectionError:
                    pass
                read_all(sock)
        self.alive()

    def test_http2_streams_beyond_the_limit_are_refused(self):
        with self.front.connect() as sock:
            sock.sendall(PREFACE + frame(4, 0, 0) + b''.join(frame(1, 5, i, get_headers(b'/hold')) for i in range(1, 1001, 2)))
            data, refused = b'', 0
            while refused < 250:
                data += sock.recv(65536)
                while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], 'big'):
                    size = int.from_bytes(data[:3], 'big')
                    refused += data[3] == 3 and data[9:13] == struct.pack('>I', 7)
                    data = data[9 + size:]


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        make_pki(cls.folder)
        cls.front = Front('--tls', cls.file('server.crt'), cls.file('server.key'), cls.file('ca.crt'))

    @classmethod
    def tearDownClass(cls):
        code = cls.front.stop()
        shutil.rmtree(cls.folder)
        assert code == 0

    @classmethod
    def file(cls, name):
        return os.path.join(cls.folder, name)

    def curl(self, *args):
        return curl('--cacert', self.file('ca.crt'), *args)

    def cert(self, name):
        return ['--cert', self.file(name + '.crt'), '--key', self.file(name + '.key')]

    def handshake(self, minimum, maximum, alpn=None):
        context = ssl.create_default_context(cafile=self.file('ca.crt'))
        context.minimum_version, context.maximum_version = minimum, maximum
        if alpn:
            context.set_alpn_protocols(alpn)
        with context.wrap_socket(self.front.connect(), server_hostname='127.0.0.1') as sock:
            return sock.version(), sock.selected_alpn_protocol(), sock.cipher()[0]

    def test_versions_from_1_2_on_and_the_protocol_is_negotiated(self):
        v = ssl.TLSVersion
        self.assertEqual(self.handshake(v.TLSv1_2, v.TLSv1_2)[0], 'TLSv1.2')
        self.assertIn('GCM', self.handshake(v.TLSv1_2, v.TLSv1_2)[2])
        self.assertEqual(self.handshake(v.TLSv1_3, v.TLSv1_3, ['http/1.1', 'h2'])[:2], ('TLSv1.3', 'h2'))
        self.assertEqual(self.handshake(v.TLSv1_3, v.TLSv1_3, ['http/1.1'])[1], 'http/1.1')
        for args in (['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
                     ['-tls1_2', '-cipher', 'AES128-SHA:@SECLEVEL=0']):
            done = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{self.front.port}', *args],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertIn('Cipher is (NONE)', done.stdout)

    def test_both_protocols_over_tls(self):
        for protocol in ('--http1.1', '--http2'):
            done = self.curl(protocol, '-w', '%{http_version}', '-d', 'body', self.front.url + '/echo').stdout
            self.assertEqual(json.loads(done[:done.rindex(b'}') + 1])['body'], 'body')
            self.assertEqual(done[done.rindex(b'}') + 1:], b'1.1' if protocol == '--http1.1' else b'2')
            self.assertEqual(len(self.curl(protocol, self.front.url + '/bytes?5000000').stdout), 5000000)
            self.assertEqual(len(self.curl(protocol, self.front.url + '/flood?8000').stdout), 8000 << 10)

    def test_many_http2_requests_share_a_connection(self):
        for how in ([], ['--no-progress-meter', '--parallel', '--parallel-max', '50']):
            done = self.curl('--http2', *how, f'{self.front.url}/bytes?[1000-1299]')
            self.assertEqual(len(done.stdout), sum(range(1000, 1300)))

    def test_large_uploads_over_tls(self):
        with tempfile.NamedTemporaryFile() as body:
            body.write(b'b' * (3 << 20))
            body.flush()
            for protocol in ('--http1.1', '--http2'):
                done = self.curl(protocol, '--data-binary', '@' + body.name, self.front.url + '/pods').stdout
                self.assertEqual(len(done), 3 << 20)

    def test_a_client_certificate_names_user_and_groups(self):
        for protocol in ('--http1.1', '--http2'):
            out = json.loads(self.curl(protocol, *self.cert('alice'), self.front.url + '/echo').stdout)
            self.assertEqual((out['cn'], out['groups']), ('alice', ['dev', 'qa']))
        out = json.loads(self.curl(self.front.url + '/echo').stdout)
        self.assertEqual((out['cn'], out['groups']), ('', []))

    def test_certificates_of_another_authority_or_for_another_use_are_refused(self):
        for name in ('mallory', 'wronguse'):
            for version in ('--tlsv1.2', '--tlsv1.3'):
                done = self.curl(version, '--tls-max', version[-3:], *self.cert(name), self.front.url + '/echo')
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, b'')

    def test_unfinished_handshakes_do_not_hinder_others(self):
        socks = [self.front.connect() for _ in range(100)]
        for sock in socks:
            sock.sendall(b'\x16\x03\x01')
        self.assertEqual(self.curl(self.front.url + '/echo').returncode, 0)
        for sock in socks:
            sock.close()

    def test_garbage_instead_of_a_handshake(self):
        for data in (b'GET / HTTP/1.1\r\n\r\n', os.urandom(5000)):
            with self.front.connect() as sock:
                sock.sendall(data)
                read_all(sock)
        self.assertEqual(self.curl(self.front.url + '/echo').returncode, 0)


class Goaway(unittest.TestCase):
    def test_an_http2_client_is_asked_to_connect_again_and_loses_nothing(self):
        front = Front('--goaway')
        self.addCleanup(front.stop)
        for protocol, connects in (('--http1.1', '1000'), ('--http2-prior-knowledge', '1111')):
            done = curl(protocol, '-w', '%{num_connects}', '-o', '/dev/null', front.url + '/bytes?[9-12]')
            self.assertEqual(done.stdout.decode(), connects)
            self.assertEqual(len(curl(protocol, front.url + '/flood?4000').stdout), 4000 << 10)


class Shutdown(unittest.TestCase):
    def test_streams_end_properly_and_held_requests_get_their_grace(self):
        for protocol in ('--http1.1', '--http2-prior-knowledge'):
            front = Front('--long-grace')
            watch = subprocess.Popen(['curl', '-sS', protocol, front.url + '/?watch=true'], stdout=subprocess.PIPE)
            idle = front.connect()
            idle.sendall(b'GET /echo HTTP/1.1\r\nHost: x\r\n\r\n')
            read_response(idle)
            time.sleep(0.3)
            self.assertEqual(front.stop(), 0)  # without waiting for the grace to end
            self.assertEqual(watch.wait(timeout=10), 0)  # a cut stream would be an error
            watch.stdout.close()
            self.assertEqual(read_all(idle), b'')
            idle.close()

    def test_a_request_without_an_answer_delays_the_end_by_the_grace_only(self):
        front = Front()
        held = subprocess.Popen(['curl', '-sS', front.url + '/hold'], stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        self.assertEqual(front.stop(), 0)
        self.assertNotEqual(held.wait(timeout=10), 0)

    def test_what_cannot_be_served_is_refused_at_the_start(self):
        with tempfile.TemporaryDirectory() as folder:
            make_pki(folder)
            file = lambda name: os.path.join(folder, name)
            for args in (['--tls', file('server.crt'), file('ca.key')], ['--tls', file('server.key'), file('server.crt')],
                         ['--tls', file('none'), file('none')], ['--tls', file('server.crt'), file('server.key'), file('server.key')]):
                done = subprocess.run([BINARY, *args], capture_output=True, text=True)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, 'TLS|client CA')


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)
