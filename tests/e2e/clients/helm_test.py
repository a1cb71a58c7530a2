"""helm at `orrery apiserver`, with the chart beside this file.

usage: helm_test.py PATH_OF_orrery FOLDER_FOR_MODULES
"""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest

from apiserver import Apiserver, run, skip
from golang import go_environment, require_go

BINARY, MODULES = sys.argv[1:]
HELM = os.path.join(os.path.abspath(MODULES), 'helm', 'helm')
CHART = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'chart')
PACKAGE = 'helm.sh/helm/v3/cmd/helm@v3.17.3'


def build_helm():
    """Once for a build folder: it takes minutes."""
    if os.path.exists(HELM):
        return
    require_go()
    done = run('nice', 'go', 'install', PACKAGE, env=go_environment(GOBIN=os.path.dirname(HELM)), timeout=1500)
    if done.returncode != 0:
        skip(f'{PACKAGE} cannot be built: {done.stderr}')


class Helm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = Apiserver(BINARY, cls.folder)
        cls.kubectl = ['kubectl', '--kubeconfig', cls.server.kubeconfig, '--cache-dir', os.path.join(cls.folder, 'cache')]

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, 'the server did not end well'

    def setUp(self):
        self.namespace = re.sub('[^a-z]+', '-', self._testMethodName)[5:60].strip('-')

    def helm(self, *args):
        home = {name: os.path.join(self.folder, name) for name in ('HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', 'HOME')}
        return run(HELM, '--kubeconfig', self.server.kubeconfig, '-n', self.namespace, *args, env=dict(os.environ, **home))

    def ok(self, *args):
        done = self.helm(*args)
        self.assertEqual(done.returncode, 0, f'helm {" ".join(args)}: {done.stderr}')
        return done.stdout

    def get(self, *args):
        done = run(*self.kubectl, '-n', self.namespace, 'get', *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def install(self, *args):
        return self.ok('install', 'web', CHART, '--create-namespace', *args)

    def upgrade(self, *args):
        return self.ok('upgrade', 'web', CHART, *args)

    def image(self):
        return self.get('deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')

    def test_a_release_from_install_to_uninstall(self):
        self.assertIn('STATUS: deployed', self.install())
        settings = json.loads(self.get('configmap', 'web', '-o', 'json'))
        self.assertEqual(settings['data'], {'greeting': 'hello', 'cluster': 'kube-system', 'kube': '32', 'hasDeployments': 'true'})
        self.assertEqual(settings['metadata']['annotations']['meta.helm.sh/release-name'], 'web')
        address = self.get('service', 'web', '-o', 'jsonpath={.spec.clusterIP}')

        self.upgrade('--set', 'image=nginx:2,replicas=3')
        self.assertEqual((self.image(), self.get('deployment', 'web', '-o', 'jsonpath={.spec.replicas}')), ('nginx:2', '3'))
        self.assertEqual(self.get('service', 'web', '-o', 'jsonpath={.spec.clusterIP}'), address)
        self.assertEqual(self.get('configmap', 'web-before', '-o', 'jsonpath={.data.revision}'), '2')

        self.upgrade('--set', 'service=false')
        self.assertEqual(self.get('services', '-o', 'name'), '')
        self.ok('rollback', 'web', '2')
        self.assertEqual((self.image(), self.get('services', '-o', 'name')), ('nginx:2', 'service/web\n'))
        history = json.loads(self.ok('history', 'web', '-o', 'json'))
        self.assertEqual([(entry['revision'], entry['status']) for entry in history],
                         [(1, 'superseded'), (2, 'superseded'), (3, 'superseded'), (4, 'deployed')])

        self.assertIn('uninstalled', self.ok('uninstall', 'web'))
        self.assertEqual(self.get('deployments,services,secrets', '-o', 'name'), '')
        self.assertEqual(json.loads(self.ok('list', '-a', '-o', 'json')), [])

    def test_what_is_deployed_can_be_asked_for(self):
        self.install('--set', 'greeting=hi')
        self.assertEqual(json.loads(self.ok('get', 'values', 'web', '-o', 'json')), {'greeting': 'hi'})
        self.assertIn('kind: Deployment', self.ok('get', 'manifest', 'web'))
        listed = json.loads(self.ok('list', '-o', 'json'))
        self.assertEqual([(entry['name'], entry['chart'], entry['status']) for entry in listed], [('web', 'web-1.0.0', 'deployed')])
        self.assertIn('cannot re-use a name', self.helm('install', 'web', CHART).stderr)

    def test_drift_is_mended_by_the_next_upgrade(self):
        self.install()
        done = run(*self.kubectl, '-n', self.namespace, 'patch', 'deployment', 'web', '--type=json',
                   '-p', '[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "other"}]')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.upgrade()
        self.assertEqual(self.image(), 'nginx:1')

    def test_an_invalid_object_fails_the_release(self):
        done = self.helm('install', 'web', CHART, '--create-namespace', '--set', 'replicas=-1')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('spec.replicas: Invalid value: -1', done.stderr)
        self.assertEqual([entry['status'] for entry in json.loads(self.ok('list', '-a', '-o', 'json'))], ['failed'])


if __name__ == '__main__':
    if not shutil.which('kubectl'):
        skip('no kubectl')
    build_helm()
    unittest.main(argv=[sys.argv[0]], verbosity=1)
