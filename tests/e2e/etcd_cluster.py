"""An etcd cluster on loopback for end-to-end tests, with ways to break it."""
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Link:
    """A TCP proxy before one address: how the other members reach a member."""

    def __init__(self, target):
        self.target, self.cut = target, False
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.cut:
                near.close()
                continue
            try:
                far = socket.create_connection(('127.0.0.1', self.target), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self.sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            self.end(one)

    def end(self, one):
        self.sockets.discard(one)
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def set_cut(self, cut):
        self.cut = cut
        if cut:
            for one in list(self.sockets):
                self.end(one)

    def close(self):
        self.listener.close()
        self.set_cut(True)


class EtcdCluster:
    """`size` members, each with a folder below `folder`. Peers talk through links that can be cut."""

    def __init__(self, folder, size=1):
        self.folder = folder
        self.client_ports = [free_port() for _ in range(size)]
        self.peer_ports = [free_port() for _ in range(size)]
        self.links = [Link(port) for port in self.peer_ports]
        self.processes = [None] * size
        for member in range(size):
            self.start(member)
        self.wait()

    @staticmethod
    def available():
        return shutil.which('etcd') is not None

    @property
    def endpoints(self):
        return ','.join('http://127.0.0.1:%d' % port for port in self.client_ports)

    def start(self, member):
        own = lambda ports: 'http://127.0.0.1:%d' % ports[member]
        advertised = 'http://127.0.0.1:%d' % self.links[member].port
        names = ','.join('m%d=http://127.0.0.1:%d' % (i, link.port) for i, link in enumerate(self.links))
        with open(os.path.join(self.folder, 'etcd%d.log' % member), 'a') as log:
            self.processes[member] = subprocess.Popen(
                ['etcd', '--name', 'm%d' % member, '--data-dir', os.path.join(self.folder, 'm%d' % member),
                 '--listen-client-urls', own(self.client_ports), '--advertise-client-urls', own(self.client_ports),
                 '--listen-peer-urls', own(self.peer_ports), '--initial-advertise-peer-urls', advertised,
                 '--initial-cluster', names, '--heartbeat-interval', '50', '--election-timeout', '500'],
                stdout=log, stderr=log)

    def healthy(self, member):
        try:
            url = 'http://127.0.0.1:%d/health' % self.client_ports[member]
            with urllib.request.urlopen(url, timeout=2) as answer:
                return b'true' in answer.read()
        except OSError:
            return False

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while not all(self.healthy(member) for member in range(len(self.processes))):
            assert time.monotonic() < end, 'etcd does not become healthy: see ' + self.folder
            time.sleep(0.1)

    def kill(self, member):
        self.processes[member].send_signal(signal.SIGKILL)
        self.processes[member].wait()

    def freeze(self, member):
        self.processes[member].send_signal(signal.SIGSTOP)

    def thaw(self, member):
        self.processes[member].send_signal(signal.SIGCONT)

    def isolate(self, member, cut=True):
        """Cuts what the others send to a member; what it sends itself goes on."""
        self.links[member].set_cut(cut)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for link in self.links:
            link.close()
