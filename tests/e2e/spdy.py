"""A server's side of SPDY/3.1, as far as kubelets use it: streams that a client opens."""
import select
import ssl
import struct
import threading
import zlib

WORDS = (
    'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow '
    'authorization cache-control connection content-base content-encoding content-language content-length '
    'content-location content-md5 content-range content-type date etag expect expires from host if-match '
    'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma '
    'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade '
    'user-agent vary via warning www-authenticate method get status').split() + ['200 OK', 'version', 'HTTP/1.1'] + \
    'url public set-cookie keep-alive origin'.split()
TAIL = (b'100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative '
        b'Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal '
        b'Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, '
        b'Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/'
        b'xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,'
        b'*,enq=0.')
DICTIONARY = b''.join(struct.pack('>I', len(word)) + word.encode() for word in WORDS) + TAIL
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1


class Stream:
    def __init__(self, connection, number, fields):
        self.connection, self.number, self.fields = connection, number, fields
        self.arrived, self.ended = b'', False

    def read(self, size=65536):
        """b'' at the end."""
        with self.connection.changed:
            self.connection.changed.wait_for(lambda: self.arrived or self.ended)
            data, self.arrived = self.arrived[:size], self.arrived[size:]
            self.connection.changed.notify_all()
            return data

    def write(self, data, last=False):
        for at in range(0, max(len(data), 1), 30000):
            part = data[at:at + 30000]
            end = last and at + 30000 >= len(data)
            self.connection.send(struct.pack('>II', self.number, (FIN if end else 0) << 24 | len(part)) + part)

    def close(self):
        self.write(b'', last=True)


class Connection:
    """Reads until the client closes; what arrives is kept up to a bound, so that a slow reader is felt."""
    BOUND = 1 << 20

    def __init__(self, sock, opened=None):
        self.sock, self.opened = sock, opened
        self.streams = {}
        self.changed = threading.Condition()
        self.sending = threading.Lock()
        self.inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.deflate = zlib.compressobj(zdict=DICTIONARY)
        self.over = False
        threading.Thread(target=self.serve, daemon=True).start()

    def send(self, data):
        with self.sending:
            self.sock.sendall(data)

    def control(self, kind, payload, flags=0):
        self.send(struct.pack('>HHI', 0x8003, kind, flags << 24 | len(payload)) + payload)

    def wait_for(self, *types):
        """The streams of these types, once they are all there."""
        by_type = lambda: {stream.fields.get('streamtype'): stream for stream in self.streams.values()}
        with self.changed:
            self.changed.wait_for(lambda: self.over or all(t in by_type() for t in types), timeout=30)
            return by_type()

    def exactly(self, size):
        data = b''
        while len(data) < size:
            buffered = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            if not buffered:
                select.select([self.sock], [], [])
            with self.sending:  # TLS of Python is not to be used from two threads at once
                more = self.sock.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def serve(self):
        try:
            while True:
                first, second = struct.unpack('>II', self.exactly(8))
                payload = self.exactly(second & 0xffffff)
                if first >> 31:
                    self.on_control(first & 0xffff, payload)
                else:
                    self.on_data(first, payload, second >> 24 & FIN)
        except (EOFError, OSError):
            pass
        with self.changed:
            self.over = True
            for stream in self.streams.values():
                stream.ended = True
            self.changed.notify_all()

    def on_control(self, kind, payload):
        if kind == PING:
            self.control(PING, payload)
        elif kind == RST_STREAM:
            self.on_data(struct.unpack('>I', payload[:4])[0], b'', True)
        elif kind == SYN_STREAM:
            number = struct.unpack('>I', payload[:4])[0] & 0x7fffffff
            stream = Stream(self, number, self.fields(payload[10:]))
            empty = self.deflate.compress(struct.pack('>I', 0)) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
            self.control(SYN_REPLY, struct.pack('>I', number) + empty)
            with self.changed:
                self.streams[number] = stream
                self.changed.notify_all()
            if self.opened:
                threading.Thread(target=self.opened, args=(stream,), daemon=True).start()

    def fields(self, block):
        plain = self.inflate.decompress(block)
        values, at = [], 4
        while at < len(plain):
            size = struct.unpack('>I', plain[at:at + 4])[0]
            values.append(plain[at + 4:at + 4 + size].decode())
            at += 4 + size
        return dict(zip(values[::2], values[1::2]))

    def on_data(self, number, payload, last):
        stream = self.streams.get(number)
        if stream is None:
            return
        with self.changed:
            self.changed.wait_for(lambda: len(stream.arrived) < self.BOUND or self.over)
            stream.arrived += payload
            stream.ended = stream.ended or bool(last)
            self.changed.notify_all()
