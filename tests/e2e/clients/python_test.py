"""The Python client at `orrery apiserver`, in a virtual environment of its own.

usage: python_test.py PATH_OF_orrery FOLDER_FOR_MODULES
"""
import os
import shutil
import sys
import tempfile
import threading
import unittest

from apiserver import Apiserver, run, skip

BINARY, MODULES = sys.argv[1:3]
REQUIREMENT = 'kubernetes>=32,<33'


def client_python():
    """The interpreter that has the client."""
    home = os.path.join(os.path.abspath(MODULES), 'python')
    python = os.path.join(home, 'bin', 'python3')
    if run(sys.executable, '-m', 'venv', home).returncode != 0:
        skip('no virtual environments here')
    done = run(python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', REQUIREMENT, timeout=600)
    if done.returncode != 0:
        skip(f'{REQUIREMENT} cannot be installed: {done.stderr}')
    return python


def config_map(name):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': name, 'labels': {'made': 'here'}}, 'data': {'a': '1'}}


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = Apiserver(BINARY, cls.folder)
        kubernetes.config.load_kube_config(cls.server.kubeconfig)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, 'the server did not end well'

    def setUp(self):
        self.api = kubernetes.client.CoreV1Api()
        self.namespace = self._testMethodName.replace('_', '-')
        self.api.create_namespace({'metadata': {'name': self.namespace}})

    def refused(self, code, call, *args, **more):
        with self.assertRaises(kubernetes.client.ApiException) as raised:
            call(*args, **more)
        self.assertEqual(raised.exception.status, code, raised.exception.body)
        return raised.exception.body

    def test_typed_objects_live_and_die(self):
        apps, client = kubernetes.client.AppsV1Api(), kubernetes.client
        labels = {'app': 'web'}
        made = apps.create_namespaced_deployment(self.namespace, client.V1Deployment(
            metadata=client.V1ObjectMeta(name='web', labels=labels),
            spec=client.V1DeploymentSpec(
                replicas=2, selector=client.V1LabelSelector(match_labels=labels),
                template=client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(
                    containers=[client.V1Container(name='main', image='x', resources=client.V1ResourceRequirements(requests={'cpu': '100m'}))])))))
        self.assertEqual((made.spec.strategy.type, made.metadata.generation, made.metadata.creation_timestamp.tzinfo is None), ('RollingUpdate', 1, False))
        patched = apps.patch_namespaced_deployment('web', self.namespace, {'spec': {'template': {'spec': {'containers': [{'name': 'main', 'image': 'y'}]}}}})
        container = patched.spec.template.spec.containers[0]
        self.assertEqual((container.image, container.resources.requests, patched.metadata.generation), ('y', {'cpu': '100m'}, 2))
        self.assertEqual(apps.patch_namespaced_deployment_scale('web', self.namespace, {'spec': {'replicas': 4}}).spec.replicas, 4)
        apps.patch_namespaced_deployment_status('web', self.namespace, {'status': {'replicas': 3}})
        now = apps.read_namespaced_deployment('web', self.namespace)
        self.assertEqual((now.spec.replicas, now.status.replicas), (4, 3))
        self.refused(409, apps.replace_namespaced_deployment, 'web', self.namespace, made)
        now.spec.replicas = 6
        self.assertEqual(apps.replace_namespaced_deployment('web', self.namespace, now).spec.replicas, 6)
        self.assertEqual(apps.delete_namespaced_deployment('web', self.namespace).status, 'Success')
        self.refused(404, apps.read_namespaced_deployment, 'web', self.namespace)

    def test_lists_are_selected_and_paged(self):
        for i in range(7):
            self.api.create_namespaced_config_map(self.namespace, config_map(f'c{i}'))
        self.assertEqual(len(self.api.list_namespaced_config_map(self.namespace, label_selector='made in (here)').items), 7)
        self.assertEqual(len(self.api.list_namespaced_config_map(self.namespace, field_selector='metadata.name=c3').items), 1)
        page = self.api.list_namespaced_config_map(self.namespace, limit=4)
        self.assertEqual((len(page.items), page.metadata.remaining_item_count), (4, 3))
        page = self.api.list_namespaced_config_map(self.namespace, limit=4, _continue=page.metadata._continue)
        self.assertEqual([item.metadata.name for item in page.items], ['c4', 'c5', 'c6'])
        self.api.delete_collection_namespaced_config_map(self.namespace)
        self.assertEqual(self.api.list_namespaced_config_map(self.namespace).items, [])

    def test_a_watch_follows_from_a_list(self):
        version = self.api.list_namespaced_config_map(self.namespace).metadata.resource_version

        def change():
            self.api.create_namespaced_config_map(self.namespace, config_map('c'))
            self.api.patch_namespaced_config_map('c', self.namespace, {'data': {'a': None, 'b': '2'}})
            self.api.delete_namespaced_config_map('c', self.namespace)
        changes = threading.Thread(target=change)
        changes.start()
        seen, watch = [], kubernetes.watch.Watch()
        for event in watch.stream(self.api.list_namespaced_config_map, self.namespace, resource_version=version, timeout_seconds=60):
            seen.append((event['type'], event['object'].data))
            if event['type'] == 'DELETED':
                watch.stop()
        changes.join()
        self.assertEqual(seen, [('ADDED', {'a': '1'}), ('MODIFIED', {'b': '2'}), ('DELETED', {'b': '2'})])

    def test_errors_say_what_is_wrong(self):
        self.assertIn('metadata.name: Invalid value', self.refused(422, self.api.create_namespaced_config_map, self.namespace, config_map('No Name')))
        self.api.create_namespaced_config_map(self.namespace, config_map('c'))
        self.assertIn('AlreadyExists', self.refused(409, self.api.create_namespaced_config_map, self.namespace, config_map('c')))
        unknown = dict(config_map('d'), nonsense=1)
        self.assertIn('unknown field', self.refused(400, self.api.create_namespaced_config_map, self.namespace, unknown, field_validation='Strict'))

    def test_dynamic_client(self):
        dynamic = kubernetes.dynamic.DynamicClient(kubernetes.client.ApiClient())
        maps = dynamic.resources.get(api_version='v1', kind='ConfigMap')
        maps.create(body=config_map('c'), namespace=self.namespace)
        maps.patch(name='c', namespace=self.namespace, body={'data': {'b': '2'}}, content_type='application/merge-patch+json')
        self.assertEqual(maps.get(name='c', namespace=self.namespace).data.to_dict(), {'a': '1', 'b': '2'})
        self.assertEqual([item.metadata.name for item in maps.get(namespace=self.namespace, label_selector='made=here').items], ['c'])
        maps.delete(name='c', namespace=self.namespace)
        self.assertEqual(maps.get(namespace=self.namespace).items, [])
        self.assertEqual(dynamic.resources.get(kind='Deployment', group='apps').name, 'deployments')

    def test_server_side_apply(self):
        dynamic = kubernetes.dynamic.DynamicClient(kubernetes.client.ApiClient())
        maps = dynamic.resources.get(api_version='v1', kind='ConfigMap')

        def apply(manager, data, **more):
            body = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'c', 'namespace': self.namespace}, 'data': data}
            return maps.server_side_apply(body=body, field_manager=manager, **more)
        apply('one', {'a': '1', 'b': '1'})
        with self.assertRaises(kubernetes.dynamic.exceptions.ConflictError):
            apply('two', {'a': '2'})
        apply('two', {'a': '2'}, force_conflicts=True)
        self.assertEqual(apply('one', {'c': '1'}).data.to_dict(), {'a': '2', 'c': '1'})
        managers = self.api.read_namespaced_config_map('c', self.namespace).metadata.managed_fields
        self.assertEqual(sorted((entry.manager, entry.operation) for entry in managers), [('one', 'Apply'), ('two', 'Apply')])

    def test_tokens_and_reviews(self):
        self.api.create_namespaced_service_account(self.namespace, {'metadata': {'name': 'robot'}})
        token = self.api.create_namespaced_service_account_token('robot', self.namespace, {'spec': {'expirationSeconds': 900}}).status.token
        review = kubernetes.client.AuthenticationV1Api().create_token_review({'spec': {'token': token}})
        self.assertTrue(review.status.authenticated)
        self.assertEqual(review.status.user.username, f'system:serviceaccount:{self.namespace}:robot')
        question = {'spec': {'user': review.status.user.username, 'resourceAttributes': {'verb': 'get', 'resource': 'secrets', 'namespace': self.namespace}}}
        self.assertFalse(kubernetes.client.AuthorizationV1Api().create_subject_access_review(question).status.allowed)


if __name__ == '__main__':
    if len(sys.argv) == 3:
        python = client_python()
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:], 'installed'])
    import kubernetes
    import kubernetes.dynamic
    unittest.main(argv=[sys.argv[0]], verbosity=1)
