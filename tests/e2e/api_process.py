"""`orrery apiserver` processes and a small client, for tests that need several of them or kill them."""
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading

TOKEN = 'admin-token'


class ApiProcess:
    """One server with a data folder of its own; after a kill it starts again on the same port."""

    def __init__(self, binary, folder, *flags):
        self.binary, self.folder, self.flags = binary, folder, flags
        self.port = 0
        os.makedirs(folder, exist_ok=True)
        self.tokens = os.path.join(folder, 'tokens.csv')
        with open(self.tokens, 'w') as out:
            out.write(TOKEN + ',admin,u1,"system:masters"\n')
        self.start()

    def start(self):
        self.log = os.path.join(self.folder, 'log')
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(
                [self.binary, 'apiserver', '--data-dir', os.path.join(self.folder, 'data'), '--bind-address', '127.0.0.1',
                 '--secure-port', str(self.port), '--token-auth-file', self.tokens, *self.flags],
                stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            with open(self.log) as log:
                raise AssertionError('no ready line: ' + log.read()[-1000:])
        self.port = int(json.loads(line)['url'].rsplit(':', 1)[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        return self.process.wait(timeout=30)


class NoAnswer(Exception):
    """The request may or may not have taken effect."""


class NotSent(NoAnswer):
    """No server took the connection: nothing has happened."""


class Client:
    """One connection at a time; the servers are tried in turn when one does not answer."""

    def __init__(self, ports, timeout=10):
        self.ports, self.timeout, self.at = list(ports), timeout, 0
        self.context = ssl._create_unverified_context()
        self.connection = None

    def connect(self):
        connection = http.client.HTTPSConnection('127.0.0.1', self.ports[self.at % len(self.ports)], timeout=self.timeout, context=self.context)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def open(self, method, path, body=None, kind='application/json'):
        """The answer, unread. NoAnswer if none came."""
        headers = {'Authorization': 'Bearer ' + TOKEN}
        if body is not None:
            headers['Content-Type'] = kind
            body = json.dumps(body)
        try:
            if self.connection is None:
                self.connection = self.connect()
        except OSError as error:
            self.at += 1
            raise NotSent(repr(error)) from error
        try:
            self.connection.request(method, path, body, headers)
            return self.connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.at += 1
            raise NoAnswer(repr(error)) from error

    def call(self, method, path, body=None, kind='application/json'):
        """(code, document)."""
        try:
            answer = self.open(method, path, body, kind)
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(repr(error)) from error
        return answer.status, json.loads(text) if text else {}

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def run_together(functions):
    """Runs all at once, each on a thread; raises what the first of them raised."""
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:  # shown by the caller
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
