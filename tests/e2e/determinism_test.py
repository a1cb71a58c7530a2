#!/usr/bin/env python3
"""Equal inputs give equal bytes: the same run twice, and a sweep with one worker and with two. What
came out is left in FINGERPRINTS, so that two builds of one source can be compared (`./dev test` does).
usage: determinism_test.py BINARY SOURCE_DIR FINGERPRINTS"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BINARY, SOURCE, FINGERPRINTS = (os.path.abspath(a) for a in sys.argv[1:4])
SCENARIOS = os.path.join(SOURCE, 'traces', 'scenarios')
JOBS = '''
cluster: {nodes: [{group: {count: 20, cpu: 4, memory: 8Gi, zones: [a, b]}}]}
workloads:
  - jobs: {name: batch, count: 5, replicas: 12, cpu: 900m, runSeconds: 40}
  - at: 30s
    deployments: {name: web, count: 3, replicas: 10, cpu: 300m, then: {at: 90s, image: "app:v2"}}
kubelet: {sandbox: "exponential(0.2)", pull: "lognormal(2,0.5)", start: "uniform(0.5,1.5)", stop: 1}
controllers: {events: true}
metrics: {interval: 5s}
horizon: 10m
'''
RUNS = {
    'rollout': ['rollout.yaml', '--seed', '7'],
    'fgd-first': ['fgd.yaml', '--set', 'tieBreak=first', '--seed', '42'],
    'fgd-random': ['fgd.yaml', '--set', 'tieBreak=random', '--set', 'policy=BestFit', '--seed', '43'],
    'scale': ['scale.yaml', '--set', 'nodes=100', '--set', 'pods=1000'],
    'jobs': ['jobs.yaml', '--seed', '3'],
}


class Determinism(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(self.path('jobs.yaml'), 'w') as handle:
            handle.write(JOBS)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def orrery(self, *args):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, cwd=self.folder, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)

    def fingerprint(self, args, out):
        scenario = args[0] if args[0] == 'jobs.yaml' else os.path.join(SCENARIOS, args[0])
        self.orrery('run', scenario, *args[1:], '--out', out)
        prints = {}
        for name in sorted(os.listdir(self.path(out))):
            with open(self.path(out, name), 'rb') as handle:
                data = handle.read()
            if name == 'summary.json':
                summary = json.loads(data)
                summary.pop('cost')
                prints['digest'] = summary['digest']
                data = json.dumps(summary).encode()
            prints[name] = hashlib.sha256(data).hexdigest()
        return prints

    def test_a_run_gives_the_same_bytes_again(self):
        found = {}
        for name, args in RUNS.items():
            with self.subTest(name):
                found[name] = self.fingerprint(args, 'first')
                self.assertEqual(self.fingerprint(args, 'second'), found[name])
        with open(FINGERPRINTS + '.partial', 'w') as handle:
            json.dump(found, handle, indent=1)
        os.replace(FINGERPRINTS + '.partial', FINGERPRINTS)

    def test_a_sweep_does_not_depend_on_its_workers(self):
        tables = []
        for jobs in ('1', '2'):
            out = self.path(f'{jobs}.csv')
            self.orrery('sweep', os.path.join(SCENARIOS, 'rollout.yaml'), '--grid', 'replicas=20,40', '--grid', 'scheduler.tieBreak=random,first',
                        '--seeds', '1..3', '-j', jobs, '--out', out)
            with open(out, 'rb') as handle:
                tables.append(handle.read())
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(len(tables[0].splitlines()), 13)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=1)
