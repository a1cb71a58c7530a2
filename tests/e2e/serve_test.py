"""`orrery serve`: kubectl's requests to a cluster in virtual time, and its clock.

usage: serve_test.py PATH_OF_orrery SOURCE_FOLDER
"""
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

    def test_time_does_not_go_back_and_speeds_are_checked(self):
        self.clock(step='1m')
        for body in ({'seek': '10s'}, {'speed': 'fast'}, {'speed': '-1'}, {'jump': '1s'}):
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

    def test_kubectl_reads_and_writes(self):
        if not shutil.which('kubectl'):
            self.skipTest('no kubectl')
        self.clock(step='5m')

        def kubectl(*args):
            done = subprocess.run(['kubectl', '--server', self.url, *args], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        self.assertIn('200/200', kubectl('get', 'deployments'))
        kubectl('scale', 'deployment', 'web-0', '--replicas=3')
        self.clock(step='2m')
        self.assertIn('3/3', kubectl('get', 'deployments'))


class Refusals(unittest.TestCase):
    def test_wrong_options_are_exit_2(self):
        for args in (['--speed', 'quick'], ['--listen', 'nonsense'], ['--listen', '0.0.0.0:0']):
            done = subprocess.run([BINARY, 'serve', SCENARIO, *args], capture_output=True, text=True, timeout=30)
            self.assertEqual((done.returncode, done.stdout), (2, ''), args)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
