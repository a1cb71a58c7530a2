"""What the suites of this folder share: an API server of their own, on loopback, and how they skip."""
import json
import os
import re
import subprocess
import sys

SKIPPED = 77


def skip(reason):
    """Ends the whole suite as skipped."""
    print('skipped: ' + reason)
    sys.exit(SKIPPED)


def run(*args, timeout=120, **more):
    return subprocess.run(args, capture_output=True, text=True, timeout=timeout, **more)


class Apiserver:
    """`orrery apiserver` on the embedded store in `folder`, until stop()."""

    def __init__(self, binary, folder):
        self.data = os.path.join(folder, 'data')
        self.kubeconfig = os.path.join(self.data, 'admin.conf')
        self.log = open(os.path.join(folder, 'apiserver.log'), 'w+')
        self.process = subprocess.Popen([os.path.abspath(binary), 'apiserver', '--data-dir', self.data, '--bind-address', '127.0.0.1', '--secure-port', '0'],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        assert line, 'no ready line: ' + self.logged()
        self.url = json.loads(line)['url']
        assert re.fullmatch(r'https://127\.0\.0\.1:\d+', self.url), self.url

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        """The exit code at SIGTERM: 0 unless a client has broken the server."""
        self.process.terminate()
        self.process.stdout.close()
        code = self.process.wait(timeout=30)
        self.log.close()
        return code
