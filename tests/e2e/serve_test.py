"""`orrery serve`: kubectl's requests to a cluster in virtual time, and its clock.

usage: serve_test.py PATH_OF_orrery SOURCE_FOLDER
"""
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

BINARY, SOURCE = (os.path.abspath(a) for a in sys.argv[1:3])
SCENARIO = os.path.join(SOURCE, 'traces/scenarios/rollout.yaml')


class Serve(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen([BINARY, 'serve', SCENARIO, '--speed', 'paused'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.url = json.loads(self.process.stdout.readline())['url']

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        self.assertEqual(self.process.wait(timeout=30), 0)

    def call(self, path, body=None, method=None, kind='application/json'):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={'Content-Type': kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def clock(self, **what):
        return self.call('/orrery/clock', what or None, 'POST' if what else 'GET')

    def deployment(self):
        return self.call('/apis/apps/v1/namespaces/default/deployments/web-0')

    def test_a_paused_world_answers_and_stands_still(self):
        before = self.clock()
        self.assertEqual(before['speed'], 'paused')
        self.assertEqual(len(self.call('/api/v1/nodes')['items']), 50)
        self.assertEqual(self.clock()['elapsedSeconds'], before['elapsedSeconds'])

    def test_steps_and_seeks_bring_pods_to_run_and_writes_take_effect(self):
        self.clock(step='5m')
        self.assertEqual(self.deployment()['status']['readyReplicas'], 200)
        self.call('/apis/apps/v1/namespaces/default/deployments/web-0/scale', {'spec': {'replicas': 7}}, 'PATCH', 'application/merge-patch+json')
        now = self.clock(step='2m')
        self.assertEqual(now['elapsedSeconds'], 420)
        self.assertEqual(self.deployment()['status']['readyReplicas'], 7)
        self.assertEqual(self.clock(seek='1h')['elapsedSeconds'], 3600)

    def test_a_stateful_set_starts_in_order(self):
        template = {'metadata': {'labels': {'app': 'db'}}, 'spec': {'containers': [{'name': 'c', 'image': 'db:1'}]}}
        self.call('/apis/apps/v1/namespaces/default/statefulsets', {'metadata': {'name': 'db'}, 'spec': {
            'replicas': 3, 'serviceName': 'db', 'selector': {'matchLabels': {'app': 'db'}}, 'template': template}})
        self.clock(step='5m')
        self.assertEqual(self.call('/apis/apps/v1/namespaces/default/statefulsets/db')['status']['readyReplicas'], 3)
        pods = self.call('/api/v1/namespaces/default/pods?labelSelector=app=db')['items']
        self.assertEqual([pod['metadata']['name'] for pod in pods], ['db-0', 'db-1', 'db-2'])
        ready = [next(c['lastTransitionTime'] for c in pod['status']['conditions'] if c['type'] == 'Ready') for pod in pods]
        self.assertLess(ready[0], ready[1])
        self.assertLess(ready[1], ready[2])

    def test_a_claim_is_bound_to_a_volume_that_comes_later_and_goes_when_it_is_deleted(self):
        claims, volumes = '/api/v1/namespaces/default/persistentvolumeclaims', '/api/v1/persistentvolumes'
        spec = {'storageClassName': 'slow', 'accessModes': ['ReadWriteOnce']}
        self.call(claims, {'metadata': {'name': 'data'}, 'spec': dict(spec, resources={'requests': {'storage': '1Gi'}})})
        self.clock(step='5s')
        self.assertEqual(self.call(claims + '/data')['status']['phase'], 'Pending')
        self.call(volumes, {'metadata': {'name': 'disk'}, 'spec': dict(spec, capacity={'storage': '2Gi'}, hostPath={'path': '/d'},
                                                                       persistentVolumeReclaimPolicy='Retain')})
        self.clock(step='15s')
        self.assertEqual(self.call(claims + '/data')['status'],
                         {'phase': 'Bound', 'accessModes': ['ReadWriteOnce'], 'capacity': {'storage': '2Gi'}})
        self.call(claims + '/data', method='DELETE')
        self.clock(step='1s')
        self.assertEqual(self.call(claims)['items'], [])
        self.assertEqual(self.call(volumes + '/disk')['status']['phase'], 'Released')

    def test_endpoints_written_by_hand_are_mirrored_while_the_service_has_no_selector(self):
        namespace = '/api/v1/namespaces/default'
        slices = lambda: self.call('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=ext')['items']
        addresses = lambda: sorted(one['addresses'][0] for item in slices() for one in item['endpoints'] or [])
        self.call(namespace + '/services', {'metadata': {'name': 'ext'}, 'spec': {'ports': [{'port': 80}]}})
        self.call(namespace + '/endpoints', {'metadata': {'name': 'ext'}, 'subsets': [
            {'addresses': [{'ip': '10.1.0.4'}, {'ip': '10.1.0.5'}], 'ports': [{'port': 80}]}]})
        self.clock(step='5s')
        self.assertEqual(addresses(), ['10.1.0.4', '10.1.0.5'])
        self.assertEqual(slices()[0]['metadata']['labels']['endpointslice.kubernetes.io/managed-by'], 'endpointslicemirroring-controller.k8s.io')
        self.call(namespace + '/endpoints/ext', {'metadata': {'labels': {'endpointslice.kubernetes.io/skip-mirror': 'true'}}}, 'PATCH', 'application/merge-patch+json')
        self.clock(step='5s')
        self.assertEqual(slices(), [])
        self.call(namespace + '/endpoints/ext', {'metadata': {'labels': None}}, 'PATCH', 'application/merge-patch+json')
        self.clock(step='5s')
        self.assertEqual(addresses(), ['10.1.0.4', '10.1.0.5'])
        self.call(namespace + '/services/ext', {'spec': {'selector': {'app': 'nobody'}}}, 'PATCH', 'application/merge-patch+json')
        self.clock(step='5s')
        self.assertEqual(addresses(), [])

    def test_time_does_not_go_back_and_speeds_are_checked(self):
        self.clock(step='1m')
        for body in ({'seek': '10s'}, {'speed': 'fast'}, {'speed': '-1'}, {'jump': '1s'}, {'paused': 'yes'}):
            with self.assertRaises(urllib.error.HTTPError, msg=body) as refused:
                self.clock(**body)
            self.assertEqual(refused.exception.code, 400)

    def test_the_same_steps_give_the_same_world(self):
        first = self.clock(step='10m')
        pods = self.call('/api/v1/namespaces/default/pods')['items']
        self.end()
        self.setUp()
        self.assertEqual(self.clock(step='10m')['events'], first['events'])
        self.assertEqual(self.call('/api/v1/namespaces/default/pods')['items'], pods)

    def kubectl(self, *args, stdin=None, code=0):
        if not shutil.which('kubectl'):
            self.skipTest('no kubectl')
        done = subprocess.run(['kubectl', '--server', self.url, *args], input=stdin, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def follow(self, *args):
        """kubectl that goes on; its output is read line by line."""
        process = subprocess.Popen(['kubectl', '--server', self.url, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def run_pod(self, name, **annotations):
        annotations = {'orrery.dev/' + key.replace('_', '-'): value for key, value in annotations.items()}
        self.kubectl('create', '-f', '-', stdin=json.dumps({
            'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'annotations': annotations, 'labels': {'app': name}},
            'spec': {'restartPolicy': 'OnFailure', 'containers': [
                {'name': 'main', 'image': 'job:1', 'resources': {'requests': {'cpu': '250m', 'memory': '100Mi'}}}]}}))

    def test_kubectl_reads_and_writes(self):
        self.clock(step='5m')
        self.assertIn('200/200', self.kubectl('get', 'deployments'))
        self.kubectl('scale', 'deployment', 'web-0', '--replicas=3')
        self.clock(step='2m')
        self.assertIn('3/3', self.kubectl('get', 'deployments'))
        self.assertRegex(self.kubectl('describe', 'deployment', 'web-0'), r'Replicas: +3 desired \| 3 updated \| 3 total \| 3 available')
        self.assertIn('Ready', self.kubectl('describe', 'nodes'))

    def test_logs_tell_when_containers_started_and_ended(self):
        self.run_pod('job', run_seconds='60')
        self.clock(step='30s')
        begun = self.kubectl('logs', 'job')
        self.assertRegex(begun, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ main started: image job:1, restarts 0\n$')
        follower = self.follow('logs', '-f', 'job')
        self.assertEqual(follower.stdout.readline(), begun)
        self.clock(step='2m')
        ended = follower.stdout.readline()
        self.assertRegex(ended, r'Z main ended: exit code 0, Completed\n$')
        self.assertEqual(follower.wait(timeout=30), 0)
        at = lambda line: datetime.datetime.fromisoformat(line.split()[0])
        self.assertEqual((at(ended) - at(begun)).total_seconds(), 60)
        self.assertEqual(self.kubectl('logs', 'job').splitlines(True), [begun, ended])
        self.assertEqual(self.kubectl('logs', '--tail=1', 'job'), ended)
        self.assertEqual(self.kubectl('logs', '--limit-bytes=10', 'job'), begun[:10])
        self.assertEqual(self.kubectl('logs', '--timestamps', '--tail=1', 'job'), ended.split()[0] + ' ' + ended)
        self.assertEqual(self.kubectl('logs', '--since-time', ended.split()[0], 'job'), ended)
        self.assertEqual(self.kubectl('logs', '--since=1s', 'job'), '')
        self.assertIn('previous terminated container "main" in pod "job" not found', self.kubectl('logs', '-p', 'job', code=1))

    def test_logs_of_the_run_before_the_last(self):
        self.run_pod('crash', run_seconds='20', exit_code='3')
        self.clock(step='40s')
        self.assertIn('ended: exit code 3, Error', self.kubectl('logs', '-p', 'crash'))
        self.assertIn('restarts 0', self.kubectl('logs', '-p', 'crash'))

    def test_top_shows_what_running_pods_request(self):
        self.assertIn('metrics.k8s.io/v1beta1', self.kubectl('api-versions').split())
        self.run_pod('busy')
        self.clock(step='5m')
        self.assertRegex(self.kubectl('top', 'pods', '-l', 'app=busy', '--no-headers'), r'^busy +250m +100Mi *\n$')
        self.assertRegex(self.kubectl('top', 'pod', 'busy', '--containers', '--no-headers'), r'^busy +main +250m +100Mi *\n$')
        node = self.call('/api/v1/namespaces/default/pods/busy')['spec']['nodeName']
        used = self.call('/apis/metrics.k8s.io/v1beta1/nodes/' + node)
        self.assertEqual((used['kind'], used['metadata']['name']), ('NodeMetrics', node))
        lines = self.kubectl('top', 'nodes', '--no-headers').splitlines()
        self.assertEqual(len(lines), 50)
        pods = self.call('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods')['items']
        self.assertEqual(len(pods), 201)
        self.assertRegex(self.kubectl('get', 'podmetrics', 'busy'), r'^NAME +CPU +MEMORY +WINDOW *\nbusy +250m +100Mi +30s *\n$')
        self.assertRegex(self.kubectl('get', 'nodemetrics', node, '-o', 'wide'), r'^NAME +CPU +MEMORY +WINDOW *\n%s ' % node)
        self.assertIn('kind: PodMetrics', self.kubectl('get', 'podmetrics', 'busy', '-o', 'yaml'))
        with self.assertRaises(urllib.error.HTTPError) as missing:
            self.call('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/none')
        self.assertEqual(missing.exception.code, 404)
        self.assertEqual(json.loads(missing.exception.read())['message'], 'podmetrics.metrics.k8s.io "default/none" not found')

    def test_a_roll_out_is_restarted_watched_and_undone_in_virtual_time(self):
        self.clock(step='5m')
        template = lambda: self.deployment()['spec']['template']
        first = template()
        self.kubectl('rollout', 'restart', 'deployment/web-0')
        self.assertNotEqual(template(), first)
        status = self.follow('rollout', 'status', 'deployment/web-0')
        watch = self.follow('get', 'deployment', 'web-0', '-w', '--no-headers')
        self.assertRegex(watch.stdout.readline(), r'^web-0 +\d+/200')
        self.clock(speed='max')
        self.assertEqual(status.wait(timeout=60), 0)
        self.assertIn('successfully rolled out', status.stdout.read())
        self.assertRegex(watch.stdout.readline(), r'^web-0 +\d+/200')
        self.clock(speed='paused')
        self.kubectl('rollout', 'undo', 'deployment/web-0')
        self.clock(step='10m')
        self.assertEqual(template(), first)
        self.kubectl('rollout', 'status', 'deployment/web-0')
        self.assertRegex(self.kubectl('rollout', 'history', 'deployment/web-0'), r'(?m)^3 ')

    def orrery(self, *args, code=0):
        done = subprocess.run([BINARY, 'clock', *args, '--server', self.url], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_the_clock_is_moved_by_command(self):
        self.assertRegex(self.orrery(), r'^now      \d{4}-.*\nelapsed  0s\nspeed    paused\nevents   \d+\n$')
        self.assertEqual(json.loads(self.orrery('step', '90s', '-o', 'json'))['elapsedSeconds'], 90)
        self.assertIn('elapsed  1h0m0s', self.orrery('seek', '1h'))
        self.assertEqual(json.loads(self.orrery('speed', '1000', '-o', 'json'))['speed'], 1000)
        self.assertEqual(json.loads(self.orrery('pause', '-o', 'json'))['speed'], 'paused')
        stood = self.clock()['elapsedSeconds']
        self.assertEqual(self.clock()['elapsedSeconds'], stood)
        self.assertEqual(json.loads(self.orrery('resume', '-o', 'json'))['speed'], 1000)
        self.assertIn('time does not go back', self.orrery('seek', '1s', code=2))
        self.assertIn('speed', self.orrery('speed', 'quick', code=2))
        self.orrery('step', code=2)
        self.orrery('jump', code=2)
        self.assertIn('orrery clock', subprocess.run([BINARY, 'clock', '--help'], capture_output=True, text=True).stdout)
        done = subprocess.run([BINARY, 'clock', '--server', 'http://127.0.0.1:1'], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('127.0.0.1:1', done.stderr)

    def test_commands_in_containers_are_refused(self):
        self.run_pod('idle')
        self.clock(step='1m')
        self.assertIn('the nodes of a simulated cluster run nothing', self.kubectl('exec', 'idle', '--', 'ls', code=1))


class Refusals(unittest.TestCase):
    def test_wrong_options_are_exit_2(self):
        for args in (['--speed', 'quick'], ['--listen', 'nonsense'], ['--listen', '0.0.0.0:0']):
            done = subprocess.run([BINARY, 'serve', SCENARIO, *args], capture_output=True, text=True, timeout=30)
            self.assertEqual((done.returncode, done.stdout), (2, ''), args)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
