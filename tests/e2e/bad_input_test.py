#!/usr/bin/env python3
"""What users and enemies feed to orrery: every case ends with exit 2, a message that names the place
and what is allowed, and no output. usage: bad_input_test.py BINARY SOURCE_DIR"""
import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])
ROLLOUT = os.path.join(SOURCE, 'traces', 'scenarios', 'rollout.yaml')
SAMPLES = os.path.join(SOURCE, 'traces', 'samples', 'openb')
MEMORY_MAX = 2 << 30
SECONDS_MAX = 60

GROUP = 'cluster: {nodes: [{group: {}}]}\n'
POD = ('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: x\n')
LAUGHS = 'a0: &a0 [x, x]\n' + ''.join(f'a{i}: &a{i} [*a{i-1}, *a{i-1}]\n' for i in range(1, 40))

# name: (scenario text, parts of the message)
SCENARIOS = {
    'empty file': (b'', ['s.yaml', 'found 0 documents']),
    'only a comment': (b'# nothing\n', ['s.yaml']),
    'two documents': (b'name: a\n---\nname: b\n', ['s.yaml', 'found 2 documents']),
    'a list': (b'- a\n', ['s.yaml:1', 'must be a mapping']),
    'a number': (b'7\n', ['s.yaml:1', 'must be a mapping']),
    'truncated': (b'cluster: {nodes: [{group: {count: 3', ['s.yaml:']),
    'a tab as indentation': (b'cluster:\n\tnodes: []\n', ['s.yaml:2']),
    'every byte': (bytes(range(256)), ['s.yaml:']),
    'nul bytes': (b'name: a\x00b\n', ['s.yaml:1']),
    'utf-16': ('name: a\n'.encode('utf-16'), ['s.yaml']),
    'invalid utf-8': (b'name: "\xff\xfe\xc0\xaf"\n', ['s.yaml:']),
    'random bytes': (bytes((i * 7919 + 13) % 256 for i in range(4096)), ['s.yaml:']),
    'gzip garbage': (b'\x1f\x8b\x08\x00garbage', ['s.yaml', 'compressed']),
    'a billion laughs': ((LAUGHS + GROUP).encode(), ['s.yaml:', 'too many values']),
    'a cyclic anchor': (b'name: &a [*a]\n' + GROUP.encode(), ['s.yaml:1', '*a']),
    'an alias without anchor': (b'name: *nowhere\n', ['s.yaml:1', 'nowhere']),
    'nested too deeply': (b'name: ' + b'[' * 5000 + b']' * 5000 + b'\n', ['s.yaml:1', 'nested too deeply']),
    'deeply nested json': (b'{"a":' * 5000 + b'1' + b'}' * 5000, ['s.yaml:', 'nested too deeply']),
    'duplicate keys': (b'name: a\nname: b\n', ['s.yaml:2', 'duplicate key "name"']),
    'a key that is no text': (b'[a]: b\n', ['s.yaml:1']),
    'misspelt field': (b'horizont: 1h\n' + GROUP.encode(), ['s.yaml:1', 'horizont', 'did you mean horizon']),
    'unknown nested field': (b'cluster:\n  nodes:\n  - group:\n      cpus: 4\n', ['s.yaml:4', 'cluster.nodes[0].group.cpus', 'did you mean cpu']),
    'no nodes': (b'cluster: {nodes: []}\n', ['cluster.nodes', 'is required']),
    'nodes as mapping': (b'cluster: {nodes: {group: {}}}\n', ['s.yaml:1', 'cluster.nodes', 'must be a list']),
    'two kinds of node source': (b'cluster: {nodes: [{group: {}, manifests: x}]}\n', ['exactly one of trace, group, manifests']),
    'no kind of workload': ((GROUP + 'workloads: [{}]\n').encode(), ['workloads[0]', 'exactly one of']),
    'negative CPU': (b'cluster: {nodes: [{group: {cpu: -1}}]}\n', ['s.yaml:1', 'group.cpu', 'found -1', 'not negative']),
    'CPU as text': (b'cluster: {nodes: [{group: {cpu: many}}]}\n', ['group.cpu', 'found "many"', 'quantity']),
    'CPU of NaN': (b'cluster: {nodes: [{group: {cpu: .nan}}]}\n', ['group.cpu', 'quantity']),
    'endless memory': (b'cluster: {nodes: [{group: {memory: .inf}}]}\n', ['group.memory', 'quantity']),
    'huge CPU': (b'cluster: {nodes: [{group: {cpu: 1e30}}]}\n', ['group.cpu']),
    'memory as list': (b'cluster: {nodes: [{group: {memory: [1]}}]}\n', ['group.memory', 'found a list']),
    'negative count': (b'cluster: {nodes: [{group: {count: -3}}]}\n', ['group.count', 'found -3', '0..1000000']),
    'fractional count': (b'cluster: {nodes: [{group: {count: 2.5}}]}\n', ['group.count', 'found 2.5', 'whole number']),
    'count beyond 64 bits': (b'cluster: {nodes: [{group: {count: 99999999999999999999}}]}\n', ['group.count', 'whole number']),
    'too many GPUs': (b'cluster: {nodes: [{group: {gpus: 9}}]}\n', ['group.gpus', '0..8']),
    'node name that no node may have': (b'cluster: {nodes: [{group: {name: "A b"}}]}\n', ['group.name', 'found "A b"']),
    'two groups of one name': (b'cluster: {nodes: [{group: {}}, {group: {}}]}\n', ['node-0']),
    'missing trace': (b'cluster: {nodes: [{trace: {path: nowhere.csv}}]}\n', ['trace.path', 'no such file', 'nowhere.csv']),
    'unknown trace format': ((GROUP + 'workloads: [{trace: {format: borg, path: s.yaml}}]\n').encode(), ['trace.format', 'found "borg"', 'alibaba-openb']),
    'trace without path': ((GROUP + 'workloads: [{trace: {}}]\n').encode(), ['trace.path', 'is required']),
    'a folder as trace': ((GROUP + 'workloads: [{trace: {path: .}}]\n').encode(), ['cannot be read']),
    'a scenario as trace': ((GROUP + 'workloads: [{trace: {path: s.yaml}}]\n').encode(), ['s.yaml:1', 'no column']),
    'negative horizon': (('horizon: -1h\n' + GROUP).encode(), ['s.yaml:1', 'horizon', 'found "-1h"', 'not negative']),
    'horizon of NaN': (('horizon: .nan\n' + GROUP).encode(), ['horizon']),
    'horizon beyond all time': (('horizon: 1e300\n' + GROUP).encode(), ['horizon']),
    'start before all time': (('start: 0000-99-99\n' + GROUP).encode(), ['start']),
    'unknown policy': (('scheduler: {policy: Best}\n' + GROUP).encode(), ['scheduler.policy', 'found "Best"', 'must be one of']),
    'unknown plugin': (('scheduler: {config: {profiles: [{plugins: {score: {enabled: [{name: Magic}]}}}]}}\n' + GROUP).encode(), ['Magic']),
    'broken plugin arguments': (('scheduler: {config: {profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Some}}}]}]}}\n' + GROUP).encode(), ['Some']),
    'missing scheduler file': (('scheduler: {configFile: nowhere.yaml}\n' + GROUP).encode(), ['scheduler.configFile', 'nowhere.yaml']),
    'a policy and a configuration': (('scheduler: {policy: FGD, config: {}}\n' + GROUP).encode(), ['scheduler.policy', 'must not be given together']),
    'unknown distribution': (('kubelet: {start: "gauss(1)"}\n' + GROUP).encode(), ['kubelet.start', 'gauss']),
    'negative delay': (('kubelet: {start: "-3"}\n' + GROUP).encode(), ['kubelet.start']),
    'exit code': (('kubelet: {stopExitCode: 256}\n' + GROUP).encode(), ['kubelet.stopExitCode', '0..255']),
    'an action that does nothing': ((GROUP + 'actions: [{at: 1s}]\n').encode(), ['actions[0]', 'exactly one of patch, delete, drain']),
    'an action on no kind': ((GROUP + 'actions: [{delete: {kind: Pood, name: x}}]\n').encode(), ['actions[0].delete.kind', 'found v1 Pood']),
    'an action on no object': ((GROUP + 'actions: [{delete: {kind: Pod}}]\n').encode(), ['actions[0].delete.name', 'is required']),
    'a patch of nothing': ((GROUP + 'actions: [{patch: {kind: Pod, name: x}}]\n').encode(), ['actions[0].patch.patch', 'is required']),
    'a drain of no node': ((GROUP + 'actions: [{drain: nowhere}]\n').encode(), ['there is no node "nowhere"']),
    'an action on what is not there': ((GROUP + 'actions: [{patch: {kind: Pod, name: x, patch: {}}}]\n').encode(), ['pods "x" not found']),
    'unknown result': (('results: [speed]\n' + GROUP).encode(), ['results[0]', 'found "speed"']),
    'seeds in the wrong order': (('seeds: 5..1\n' + GROUP).encode(), ['s.yaml:1', 'seeds', 'found "5..1"']),
    'unknown parameter': (('name: $x\n' + GROUP).encode(), ['s.yaml:1', '$x', 'no such parameter']),
    'no sampling interval': (('metrics: {interval: 0s}\n' + GROUP).encode(), ['metrics.interval']),
    'time scale of zero': ((GROUP + 'workloads: [{trace: {path: t.csv, timeScale: 0}}]\n').encode(), ['timeScale']),
    'name that no object may have': ((GROUP + 'workloads: [{deployments: {name: "Not A Name"}}]\n').encode(), ['Not A Name']),
    'two deployments of one name': ((GROUP + 'workloads: [{deployments: {}}, {deployments: {}}]\n').encode(), ['app-0', 'already exists']),
    'missing namespace': ((GROUP + 'workloads: [{namespace: "a/b", deployments: {}}]\n').encode(), ['a/b']),
}

# name: (manifest, parts of the message)
MANIFESTS = {
    'broken YAML': ('kind: [', ['m.yaml:']),
    'no kind': ('metadata: {name: x}\n', ['m.yaml:1', "'Kind' is missing"]),
    'unknown kind': ('apiVersion: v1\nkind: Pood\n', ['m.yaml:1', 'Pood']),
    'unknown version': ('apiVersion: apps/v9\nkind: Deployment\n', ['m.yaml:1', 'apps/v9']),
    'misspelt field': (POD.replace('image: x', 'imaage: x'), ['m.yaml:1', 'unknown field "spec.containers[0].imaage"']),
    'duplicate field': (POD + 'spec: {}\n', ['m.yaml:8', 'duplicate key "spec"']),
    'wrong type': (POD.replace('name: p', 'name: [p]'), ['metadata.name', 'found a list', 'must be a string']),
    'negative request': (POD + '    resources: {requests: {cpu: "-1"}}\n', ['requests[cpu]']),
    'broken quantity': (POD + '    resources: {requests: {cpu: 1x}}\n', ['m.yaml', 'requests.cpu']),
    'request above limit': (POD + '    resources: {requests: {cpu: 2}, limits: {cpu: 1}}\n', ['requests', 'limit']),
    'no name': (POD.replace('{name: p}', '{}'), ['name']),
    'bad name': (POD.replace('{name: p}', '{name: P_}'), ['metadata.name', 'P_']),
    'duplicate names': (POD + '---\n' + POD, ['already exists']),
    'duplicate containers': (POD + '  - {name: c, image: y}\n', ['spec.containers[1].name']),
    'number out of range': (POD.replace('spec:', 'spec:\n  priority: 99999999999'), ['spec.priority', '99999999999']),
    'a billion laughs': (LAUGHS + POD, ['m.yaml:', 'too many values']),
}

# name: (trace, parts of the message)
HEADER = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n'
ROW = 'p-0,1000,1024,0,0,,LS,Running,0,10,1\n'
TRACES = {
    'empty': (b'', ['t.csv', 'empty']),
    'no header': (ROW.encode(), ['t.csv:1', 'no column']),
    'short row': ((HEADER + 'p-0,1\n').encode(), ['t.csv:2', 'found 2 fields', 'must be 11']),
    'negative CPU': ((HEADER + ROW.replace('1000', '-5')).encode(), ['t.csv:2', 'cpu_milli', 'found "-5"']),
    'NaN': ((HEADER + ROW.replace('1000', 'nan')).encode(), ['t.csv:2', 'cpu_milli', 'found "nan"']),
    'huge number': ((HEADER + ROW.replace('1000', '9' * 40)).encode(), ['t.csv:2', 'cpu_milli']),
    'text for a number': ((HEADER + ROW.replace('1024', 'much')).encode(), ['t.csv:2', 'memory_mib', 'found "much"']),
    'nul byte': ((HEADER + 'p\0-0' + ROW[3:]).encode(), ['t.csv:2', 'NUL']),
    'open quote': ((HEADER + '"' + ROW).encode(), ['t.csv:2', 'quoted']),
    'binary': (bytes(range(1, 256)) * 16, ['t.csv:1']),
    'duplicate names': ((HEADER + ROW + ROW).encode(), ['t.csv', 'two pods are named "p-0"']),
    'deleted before created': ((HEADER + ROW.replace(',0,10,1', ',20,10,21')).encode(), ['t.csv:2', 'deletion_time']),
    'more GPU than there is': ((HEADER + ROW.replace(',0,0,,', ',1,2000,,')).encode(), ['t.csv:2', 'gpu_milli']),
    'truncated gzip': (gzip.compress((HEADER + ROW * 5000).encode())[:-200], ['t.csv', 'compressed']),
    'gzip with a flipped bit': (gzip.compress((HEADER + ROW).encode())[:40] + b'\xff' + gzip.compress((HEADER + ROW).encode())[41:], ['t.csv']),
}

COMMANDS = {
    'no command': [],
    'unknown command': ['frobnicate'],
    'run without scenario': ['run'],
    'missing scenario': ['run', 'nowhere.yaml'],
    'a folder as scenario': ['run', '.'],
    'unknown option': ['run', ROLLOUT, '--frobnicate'],
    'seed that is no number': ['run', ROLLOUT, '--seed', 'x'],
    'negative seed': ['run', ROLLOUT, '--seed', '-1'],
    'seeds in the wrong order': ['run', ROLLOUT, '--seeds', '5..1'],
    'too many seeds': ['run', ROLLOUT, '--seeds', '1..99999999999'],
    'set without value': ['run', ROLLOUT, '--set', 'replicas'],
    'set of an unknown field': ['run', ROLLOUT, '--set', 'replica=3'],
    'set of a wrong value': ['run', ROLLOUT, '--set', 'replicas=many'],
    'unknown output': ['run', ROLLOUT, '-o', 'xml'],
    'sweep without values': ['sweep', ROLLOUT, '--grid', 'replicas='],
    'sweep of an unknown parameter': ['sweep', ROLLOUT, '--grid', 'replica=1,2'],
    'sweep with no workers': ['sweep', ROLLOUT, '-j', '0'],
    'inspect of a missing file': ['trace', 'inspect', 'nowhere.csv'],
    'inspect of no trace': ['trace', 'inspect', ROLLOUT],
    'inspect as an unknown format': ['trace', 'inspect', os.path.join(SAMPLES, 'openb_pod_list_default.csv.gz'), '--format', 'borg'],
    'validate of nothing': ['validate'],
}


def limits():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX, MEMORY_MAX))


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, data):
        with open(self.path(name), 'wb') as handle:
            handle.write(data if isinstance(data, bytes) else data.encode())

    def run_orrery(self, *args):
        sanitized = 'asan' in BINARY  # whose address space is not to be limited
        return subprocess.run([BINARY, *args], capture_output=True, text=True, errors='replace', cwd=self.folder,
                              timeout=SECONDS_MAX, preexec_fn=None if sanitized else limits)

    def refuses(self, args, parts=()):
        done = self.run_orrery(*args)
        shown = f'{args}\nexit {done.returncode}\n{done.stderr[-2000:]}'
        self.assertEqual(done.returncode, 2, shown)
        self.assertTrue(done.stderr.strip(), shown)
        self.assertLess(len(done.stderr), 4000, shown)
        for part in parts:
            self.assertIn(part, done.stderr, shown)
        self.assertEqual(sorted(n for n in os.listdir(self.folder) if n.startswith(('out', 'results'))), [], shown)

    def test_scenarios(self):
        self.write('t.csv', HEADER + ROW)
        for name, (text, parts) in SCENARIOS.items():
            with self.subTest(name):
                self.write('s.yaml', text)
                self.refuses(['run', 's.yaml', '--out', 'out', '--no-progress'], parts)

    def test_manifests(self):
        self.write('s.yaml', 'horizon: 60s\n' + GROUP + 'workloads: [{manifests: m.yaml}]\n')
        for name, (text, parts) in MANIFESTS.items():
            with self.subTest(name):
                self.write('m.yaml', text)
                self.refuses(['run', 's.yaml', '--out', 'out', '--no-progress'], parts)

    def test_a_cron_job_needs_a_horizon(self):
        self.write('s.yaml', GROUP + 'workloads: [{manifests: m.yaml}]\n')
        self.write('m.yaml', 'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {schedule: "@daily"}\n')
        self.refuses(['run', 's.yaml', '--out', 'out', '--no-progress'], ['horizon', 'is required: a CronJob never ends'])

    def test_traces(self):
        self.write('s.yaml', 'horizon: 60s\n' + GROUP + 'workloads: [{trace: {path: t.csv}}]\n')
        for name, (data, parts) in TRACES.items():
            with self.subTest(name):
                self.write('t.csv', data)
                self.refuses(['run', 's.yaml', '--out', 'out', '--no-progress'], parts)

    def test_commands(self):
        for name, args in COMMANDS.items():
            with self.subTest(name):
                self.refuses(args)

    def test_an_output_that_cannot_be_made(self):
        self.write('file', 'x')
        for out in ('file/out', '/proc/out', '/dev/null/out', 'x' * 300):
            with self.subTest(out[:20]):
                self.refuses(['run', ROLLOUT, '--out', out], ['cannot be'])

    def test_an_output_that_belongs_to_somebody_else_is_left_alone(self):
        os.mkdir(self.path('mine'))
        self.write('mine/thesis.txt', 'x')
        self.refuses(['run', ROLLOUT, '--out', 'mine'], ['left alone'])
        self.assertEqual(os.listdir(self.path('mine')), ['thesis.txt'])
        self.write('file', 'x')
        self.refuses(['run', ROLLOUT, '--out', 'file'], ['file'])

    def test_a_disk_that_fills_up(self):
        # A limit on the size of a file acts as a full disk does, and needs no privileges.
        for blocks in (0, 8, 64):
            with self.subTest(blocks):
                script = f'trap "" XFSZ; ulimit -f {blocks}; exec "{BINARY}" run "{ROLLOUT}" --out "{self.path("out")}"'
                done = subprocess.run(['bash', '-c', script], capture_output=True, text=True)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn('cannot be written', done.stderr)
                self.assertEqual(os.listdir(self.folder), [])

    def test_a_sweep_whose_results_cannot_be_written(self):
        self.refuses(['sweep', ROLLOUT, '--out', 'nowhere/results.csv'], ['nowhere'])
        os.mkfifo(self.path('pipe'))
        self.refuses(['sweep', ROLLOUT, '--out', 'pipe'], ['it is no file'])
        self.refuses(['sweep', ROLLOUT, '--out', '.'], ['it is no file'])

    def test_a_closed_standard_output(self):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([BINARY, 'run', ROLLOUT, '-o', 'json'], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn('standard output', done.stderr)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=1)
