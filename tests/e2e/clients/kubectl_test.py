"""kubectl at `orrery apiserver`. usage: kubectl_test.py PATH_OF_orrery"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from apiserver import Apiserver, run, skip

BINARY = sys.argv[1]
DEPLOYMENT = '''
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1", ports: [{containerPort: 80}]}
'''
POD = '''
apiVersion: v1
kind: Pod
metadata: {name: %s, labels: {app: %s}}
spec:
  containers:
  - {name: main, image: "nginx:1", resources: {requests: {cpu: 100m}}}
'''

CRONTABS = '''
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: CronTab, plural: crontabs, singular: crontab}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [schedule], properties: {schedule: {type: string}, note: {type: string, nullable: true}}}
'''


class Kubectl(unittest.TestCase):
    """Every test has a namespace of its own, with the service account that a controller would make."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = Apiserver(BINARY, cls.folder)
        cls.command = ['kubectl', '--kubeconfig', cls.server.kubeconfig, '--cache-dir', os.path.join(cls.folder, 'cache')]

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, 'the server did not end well'

    def setUp(self):
        self.namespace = re.sub('[^a-z]+', '-', self._testMethodName)[5:60].strip('-')
        self.ok('create', 'namespace', self.namespace)
        self.ok('create', 'serviceaccount', 'default')

    def kubectl(self, *args, stdin=None):
        return run(*self.command, '-n', self.namespace, *args, input=stdin)

    def ok(self, *args, stdin=None):
        done = self.kubectl(*args, stdin=stdin)
        self.assertEqual(done.returncode, 0, f'kubectl {" ".join(args)}: {done.stderr}')
        return done.stdout

    def refused(self, *args, stdin=None):
        done = self.kubectl(*args, stdin=stdin)
        self.assertNotEqual(done.returncode, 0, f'kubectl {" ".join(args)}: {done.stdout}')
        return done.stderr

    def apply(self, manifest, *args):
        return self.ok('apply', '-f', '-', *args, stdin=manifest)

    def field(self, kind, name, path):
        return self.ok('get', kind, name, '-o', 'jsonpath={' + path + '}')

    def table(self, *args):
        return [line.split() for line in self.ok('get', *args).splitlines()]

    def test_typed_create_of_every_sort(self):
        cases = {
            'configmap': ['settings', '--from-literal=a=b'],
            'secret': ['generic', 'hidden', '--from-literal=a=b'],
            'deployment': ['web', '--image=nginx', '--replicas=3', '--port=80'],
            'service': ['clusterip', 'web', '--tcp=80:8080'],
            'job': ['once', '--image=busybox', '--', 'true'],
            'cronjob': ['often', '--image=busybox', '--schedule=*/5 * * * *', '--', 'true'],
            'ingress': ['in', '--rule=example.com/*=web:80'],
            'quota': ['q', '--hard=pods=50'],
            'role': ['reader', '--verb=get,list', '--resource=pods'],
            'rolebinding': ['readers', '--role=reader', '--serviceaccount=x:default'],
            'poddisruptionbudget': ['pdb', '--selector=app=web', '--min-available=1'],
            'priorityclass': ['high', '--value=1000'],
        }
        for kind, args in cases.items():
            with self.subTest(kind):
                self.assertRegex(self.ok('create', kind, *args), 'created')
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '3')
        self.assertEqual(self.field('secret', 'hidden', '.data.a'), 'Yg==')
        self.assertRegex(self.field('service', 'web', '.spec.clusterIP'), r'^10\.')
        self.assertIn('already exists', self.refused('create', 'configmap', 'settings'))
        self.assertIn('Invalid value', self.refused('create', 'configmap', 'Not_A_Name'))

    def test_apply_creates_leaves_alone_and_changes(self):
        self.assertIn('web created', self.apply(DEPLOYMENT))
        self.assertIn('web unchanged', self.apply(DEPLOYMENT))
        self.assertIn('web configured', self.apply(DEPLOYMENT.replace('nginx:1', 'nginx:2')))
        self.assertEqual(self.field('deployment', 'web', '.spec.template.spec.containers[0].image'), 'nginx:2')
        self.assertEqual(self.field('deployment', 'web', '.metadata.generation'), '2')
        self.assertIn('web configured', self.apply(DEPLOYMENT.replace(', labels: {app: web}}', '}', 1)))
        self.assertEqual(self.field('deployment', 'web', '.metadata.labels'), '')

    def test_server_side_apply_owns_fields_and_reports_conflicts(self):
        self.apply(DEPLOYMENT, '--server-side', '--field-manager=one')
        other = DEPLOYMENT.replace('replicas: 2', 'replicas: 5')
        message = self.refused('apply', '-f', '-', '--server-side', '--field-manager=two', stdin=other)
        self.assertIn('conflict with "one": .spec.replicas', message)
        self.apply(other, '--server-side', '--field-manager=two', '--force-conflicts')
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '5')
        managers = self.ok('get', 'deployment', 'web', '--show-managed-fields', '-o', 'jsonpath={.metadata.managedFields[*].manager}')
        self.assertEqual(sorted(managers.split()), ['one', 'two'])

    def test_dry_run_and_diff_write_nothing(self):
        self.assertIn('server dry run', self.apply(DEPLOYMENT, '--dry-run=server'))
        self.assertEqual(self.ok('get', 'deployments', '-o', 'name'), '')
        self.apply(DEPLOYMENT)
        done = self.kubectl('diff', '-f', '-', stdin=DEPLOYMENT.replace('replicas: 2', 'replicas: 7'))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('+  replicas: 7', done.stdout)
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '2')

    def test_get_prints_tables_and_documents(self):
        self.apply(POD % ('a', 'a'))
        self.apply(POD % ('b', 'b'))
        table = self.table('pods')
        self.assertEqual(table[0], ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'])
        self.assertEqual([row[:4] for row in table[1:]], [['a', '0/1', 'Pending', '0'], ['b', '0/1', 'Pending', '0']])
        wide = self.ok('get', 'pods', '-o', 'wide').splitlines()[0].split()
        self.assertEqual(wide[5:], ['IP', 'NODE', 'NOMINATED', 'NODE', 'READINESS', 'GATES'])
        pods = json.loads(self.ok('get', 'pods', '-o', 'json'))
        self.assertEqual((pods['kind'], [pod['metadata']['name'] for pod in pods['items']]), ('List', ['a', 'b']))
        self.assertIn('\n  name: a\n', self.ok('get', 'pod', 'a', '-o', 'yaml'))
        self.assertEqual(self.table('pods', '-o', 'custom-columns=N:.metadata.name,Q:.status.qosClass', '--no-headers'),
                         [['a', 'Burstable'], ['b', 'Burstable']])
        self.assertEqual(self.ok('get', 'pods', '-l', 'app!=a', '-o', 'name'), 'pod/b\n')
        self.assertEqual(self.ok('get', 'pods', '--field-selector', 'metadata.name=a', '-o', 'name'), 'pod/a\n')
        self.assertEqual(len(self.table('pods', '--show-labels')[0]), 6)
        self.assertEqual(len(self.ok('get', 'pods', '--chunk-size=1', '-o', 'name').splitlines()), 2)
        self.assertIn(self.namespace, self.ok('get', 'pods', '-A'))
        self.assertIn('NotFound', self.refused('get', 'pod', 'c'))

    def test_describe(self):
        self.apply(DEPLOYMENT)
        self.apply(POD % ('a', 'a'))
        self.ok('create', 'service', 'clusterip', 'web', '--tcp=80')
        cases = {'deployment web': 'RollingUpdateStrategy:', 'pod a': 'QoS Class:', 'service web': 'Endpoints:',
                 'namespace ' + self.namespace: 'Active', 'serviceaccount default': 'Tokens:'}
        for what, expected in cases.items():
            with self.subTest(what):
                self.assertIn(expected, self.ok('describe', *what.split()))

    def test_three_kinds_of_patch(self):
        self.apply(DEPLOYMENT)
        containers = '{"spec": {"template": {"spec": {"containers": [%s]}}}}'
        self.ok('patch', 'deployment', 'web', '-p', containers % '{"name": "second", "image": "x"}')
        self.assertEqual(self.field('deployment', 'web', '.spec.template.spec.containers[*].name'), 'second main')
        self.ok('patch', 'deployment', 'web', '--type=merge', '-p', containers % '{"name": "only", "image": "x"}')
        self.assertEqual(self.field('deployment', 'web', '.spec.template.spec.containers[*].name'), 'only')
        self.ok('patch', 'deployment', 'web', '--type=json', '-p', '[{"op": "replace", "path": "/spec/replicas", "value": 4}]')
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '4')
        self.ok('patch', 'deployment', 'web', '--subresource=status', '--type=merge', '-p', '{"status": {"replicas": 9}, "spec": {"replicas": 1}}')
        self.assertEqual(self.field('deployment', 'web', '.status.replicas'), '9')
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '4')
        self.assertIn('no change', self.ok('patch', 'deployment', 'web', '-p', '{"spec": {"replicas": 4}}'))

    def test_edit_with_an_editor(self):
        self.ok('create', 'configmap', 'c', '--from-literal=a=before')
        done = run(*self.command, '-n', self.namespace, 'edit', 'configmap', 'c',
                   env=dict(os.environ, KUBE_EDITOR='sed -i s/before/after/'))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.field('configmap', 'c', '.data.a'), 'after')

    def test_label_annotate_and_scale(self):
        self.apply(DEPLOYMENT)
        self.ok('label', 'deployment', 'web', 'tier=front')
        self.assertIn('already has a value', self.refused('label', 'deployment', 'web', 'tier=back'))
        self.ok('label', 'deployment', 'web', 'tier=back', '--overwrite')
        self.assertEqual(self.ok('get', 'deployments', '-l', 'tier in (back)', '-o', 'name'), 'deployment.apps/web\n')
        self.ok('label', 'deployment', 'web', 'tier-')
        self.assertEqual(self.field('deployment', 'web', '.metadata.labels'), '{"app":"web"}')
        self.ok('annotate', 'deployment', 'web', 'note=first')
        self.assertEqual(self.field('deployment', 'web', '.metadata.annotations.note'), 'first')
        self.ok('scale', 'deployment', 'web', '--replicas=6', '--current-replicas=2')
        self.assertEqual(self.field('deployment', 'web', '.spec.replicas'), '6')
        self.refused('scale', 'deployment', 'web', '--replicas=1', '--current-replicas=2')

    def test_set_expose_autoscale_and_rollout_commands(self):
        self.apply(DEPLOYMENT)
        self.ok('set', 'image', 'deployment/web', 'main=nginx:9')
        self.ok('set', 'env', 'deployment/web', 'A=b')
        self.ok('set', 'resources', 'deployment/web', '--requests=cpu=200m')
        container = json.loads(self.field('deployment', 'web', '.spec.template.spec.containers[0]'))
        self.assertEqual((container['image'], container['env'], container['resources']),
                         ('nginx:9', [{'name': 'A', 'value': 'b'}], {'requests': {'cpu': '200m'}}))
        self.ok('expose', 'deployment', 'web', '--port=80', '--type=NodePort')
        self.assertTrue(30000 <= int(self.field('service', 'web', '.spec.ports[0].nodePort')) < 32768)
        self.ok('autoscale', 'deployment', 'web', '--min=1', '--max=4', '--cpu-percent=50')
        self.assertEqual(self.field('hpa', 'web', '.spec.metrics[0].resource.target.averageUtilization'), '50')
        self.ok('rollout', 'pause', 'deployment/web')
        self.assertEqual(self.field('deployment', 'web', '.spec.paused'), 'true')
        self.ok('rollout', 'resume', 'deployment/web')
        self.ok('rollout', 'restart', 'deployment/web')
        self.assertIn('restartedAt', self.field('deployment', 'web', '.spec.template.metadata.annotations'))

    def test_delete_and_wait(self):
        self.apply(POD % ('a', 'x'))
        self.apply(POD % ('b', 'x'))
        waiting = subprocess.Popen([*self.command, '-n', self.namespace, 'wait', '--for=delete', 'pod/a', '--timeout=60s'], stdout=subprocess.PIPE, text=True)
        self.assertIn('"a" deleted', self.ok('delete', 'pod', 'a'))
        # It says nothing if it began after the end.
        self.assertIn(waiting.communicate(timeout=60)[0], ('pod/a condition met\n', ''))
        self.assertEqual(waiting.returncode, 0)
        self.ok('wait', '--for=jsonpath={.status.phase}=Pending', 'pod/b', '--timeout=30s')
        self.ok('delete', 'pods', '-l', 'app=x', '--grace-period=0', '--force')
        self.assertEqual(self.ok('get', 'pods', '-o', 'name'), '')
        for name in 'xyz':
            self.ok('create', 'configmap', name)
        self.ok('delete', 'configmaps', '--all')
        self.assertEqual(self.ok('get', 'configmaps', '-o', 'name'), '')
        self.assertIn('NotFound', self.refused('delete', 'configmap', 'x'))
        self.ok('delete', 'configmap', 'x', '--ignore-not-found')

    def test_a_finalizer_holds_what_is_deleted(self):
        self.ok('create', 'configmap', 'held')
        self.ok('patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata": {"finalizers": ["example.com/hold"]}}')
        self.ok('delete', 'configmap', 'held', '--wait=false')
        self.assertNotEqual(self.field('configmap', 'held', '.metadata.deletionTimestamp'), '')
        self.assertIn('timed out', self.refused('wait', '--for=delete', 'configmap/held', '--timeout=1s'))
        self.ok('patch', 'configmap', 'held', '--type=json', '-p', '[{"op": "remove", "path": "/metadata/finalizers"}]')
        self.ok('wait', '--for=delete', 'configmap/held', '--timeout=30s')

    def test_watch_follows_what_changes(self):
        watch = subprocess.Popen([*self.command, '-n', self.namespace, 'get', 'configmaps', '--watch-only', '--output-watch-events', '--no-headers'],
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        self.addCleanup(watch.stdout.close)
        # It may begin late: what it follows goes on changing until it has seen something.
        seen = None
        os.set_blocking(watch.stdout.fileno(), False)
        for turn in range(200):
            self.ok('create', 'configmap', f'c{turn}')
            seen = watch.stdout.readline()
            if seen:
                break
        self.assertRegex(seen, r'^ADDED +c\d+')

    def test_replace_needs_the_version_it_has_seen(self):
        self.ok('create', 'configmap', 'c', '--from-literal=a=1')
        before = self.ok('get', 'configmap', 'c', '-o', 'json')
        self.ok('replace', '-f', '-', stdin=before.replace('"1"', '"2"', 1))
        self.assertIn('Conflict', self.refused('replace', '-f', '-', stdin=before))

    def test_who_may_do_what(self):
        self.assertEqual(self.ok('auth', 'can-i', 'delete', 'nodes'), 'yes\n')
        self.ok('create', 'role', 'reader', '--verb=get,list', '--resource=pods')
        self.ok('create', 'rolebinding', 'readers', '--role=reader', f'--serviceaccount={self.namespace}:default')
        account = f'--as=system:serviceaccount:{self.namespace}:default'
        self.assertEqual(self.ok('auth', 'can-i', 'list', 'pods', account), 'yes\n')
        self.assertEqual(self.kubectl('auth', 'can-i', 'delete', 'pods', account).stdout, 'no\n')
        self.assertRegex(self.ok('auth', 'can-i', '--list', account), r'pods +\[\] +\[\] +\[get list\]')
        self.assertIn('kubernetes-admin', self.ok('auth', 'whoami'))
        self.assertIn('Forbidden', self.refused('delete', 'pod', 'a', account))

    def test_a_token_is_the_service_account(self):
        token = self.ok('create', 'token', 'default', '--duration=15m').strip()
        ca = os.path.join(self.server.data, 'pki', 'ca.crt')
        plain = ['kubectl', '--kubeconfig', os.devnull, '--server', self.server.url, '--certificate-authority', ca]
        done = run(*plain, '--token', token, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')
        self.assertEqual(done.stdout, f'system:serviceaccount:{self.namespace}:default', done.stderr)
        done = run(*plain, '--token', token[:-4] + 'AAAA', 'auth', 'whoami')
        self.assertIn('Unauthorized', done.stderr)

    def test_nodes_are_cordoned_and_tainted(self):
        self.ok('create', '-f', '-', stdin='apiVersion: v1\nkind: Node\nmetadata: {name: n1}')
        self.ok('cordon', 'n1')
        self.assertRegex(self.ok('get', 'nodes'), r'n1 +Unknown,SchedulingDisabled')
        self.ok('uncordon', 'n1')
        self.ok('taint', 'nodes', 'n1', 'a=b:NoSchedule')
        self.assertIn('a=b:NoSchedule', self.ok('describe', 'node', 'n1'))

    def test_discovery(self):
        self.assertIn('deployments', self.ok('api-resources', '--api-group=apps', '-o', 'name'))
        self.assertRegex(self.ok('api-resources', '-o', 'wide', '--verbs=create,watch'), r'pods +po +v1 +true +Pod +\S*watch')
        self.assertTrue({'v1', 'apps/v1', 'batch/v1'} <= set(self.ok('api-versions').split()))
        self.assertRegex(self.ok('version'), r'Server Version: v1\.32')
        self.assertEqual(self.ok('get', '--raw', '/readyz'), 'ok')
        self.assertIn('is running at', self.ok('cluster-info'))

    def test_components_that_run_elsewhere_are_asked(self):
        self.assertIn(['etcd-0', 'Healthy', 'ok'], self.table('componentstatuses'))
        self.assertIn('v1 ComponentStatus is deprecated in v1.19+', self.kubectl('get', 'cs', 'etcd-0').stderr)
        self.assertIn('Component not found: cron', self.refused('get', 'cs', 'cron'))

    def test_explain_and_client_validation(self):
        self.assertIn('podSelector', self.ok('explain', 'networkpolicy.spec'))
        self.assertRegex(self.ok('explain', 'deployment.spec.replicas'), r'FIELD: replicas <integer>')
        self.assertIn('unknown field', self.refused('apply', '-f', '-', stdin=DEPLOYMENT.replace('replicas', 'replicants')))

    def test_explain_by_the_second_version_of_openapi(self):
        second = ('--output=plaintext-openapiv2',)
        self.assertRegex(self.ok('explain', 'pod.spec.containers', *second), r'(?s)RESOURCE: containers <\[\]Object>.*\n +image\s+<string>\n +The container image\.')
        self.apply(CRONTABS)
        self.ok('wait', '--for=condition=Established', 'crd/crontabs.example.com')
        self.assertRegex(self.ok('explain', 'crontab.spec', *second), r'RESOURCE: spec <Object>[^$]*\n +schedule\s+<string> -required-')
        self.ok('delete', 'crd', 'crontabs.example.com')


if __name__ == '__main__':
    if not shutil.which('kubectl'):
        skip('no kubectl')
    unittest.main(argv=[sys.argv[0]], verbosity=1)
