#!/usr/bin/env python3
"""The orrery binary as a user meets it. usage: cli_test.py BINARY SOURCE_DIR"""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])
SCENARIOS = os.path.join(SOURCE, 'traces', 'scenarios')


def orrery(*args, cwd=None, check=None):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, cwd=cwd, timeout=300)
    if check is not None and done.returncode != check:
        raise AssertionError(f'{args}: exit {done.returncode}, expected {check}\n{done.stdout}\n{done.stderr}')
    return done


def scenario(name):
    return os.path.join(SCENARIOS, name)


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def read(self, *parts):
        with open(self.path(*parts), 'rb') as handle:
            return handle.read()

    def lines_of(self, path):
        if not os.path.exists(path):
            return 0
        with open(path) as handle:
            return len(handle.readlines())

    def test_help_has_examples_and_version_names_the_target(self):
        for command in ([], ['run'], ['sweep'], ['validate'], ['trace'], ['trace', 'inspect'], ['version']):
            self.assertIn('Example', orrery(*command, '--help', check=0).stdout, command)
        self.assertIn('v1.32', orrery('version', check=0).stdout)
        self.assertEqual(json.loads(orrery('version', '-o', 'json', check=0).stdout)['kubernetes'], 'v1.32')

    def test_every_scenario_field_is_explained(self):
        text = orrery('validate', '--explain', check=0).stdout
        for field in ('cluster.nodes[].group.cpu', 'cluster.nodes[].trace.path', 'workloads[].trace.timeScale', 'workloads[].trace.inflateGpuTo',
                      'workloads[].trace.shuffle', 'workloads[].manifests', 'scheduler.configFile', 'kubelet.start', 'horizon', 'results'):
            self.assertRegex(text, r'(?m)^' + field.replace('[', r'\[').replace(']', r'\]') + r' \(.*\): .', field)

    def test_a_run_leaves_four_files_and_nothing_partial(self):
        orrery('run', scenario('rollout.yaml'), '--out', self.path('out'), check=0)
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['pods.csv', 'report.html', 'summary.json', 'timeseries.csv'])
        self.assertEqual(os.listdir(self.folder), ['out'])
        summary = json.loads(self.read('out', 'summary.json'))
        self.assertEqual(summary['schemaVersion'], 1)
        self.assertEqual(summary['pods']['running'], 200)
        with open(self.path('out', 'pods.csv'), newline='') as handle:
            self.assertEqual(len(list(csv.DictReader(handle))), summary['pods']['submitted'])

    def test_two_runs_differ_in_cost_only(self):
        for name in ('a', 'b'):
            orrery('run', scenario('rollout.yaml'), '--seed', '3', '--out', self.path(name), check=0)
        for name in ('pods.csv', 'timeseries.csv', 'report.html'):
            self.assertEqual(self.read('a', name), self.read('b', name), name)
        a, b = (json.loads(self.read(n, 'summary.json')) for n in ('a', 'b'))
        a.pop('cost'), b.pop('cost')
        self.assertEqual(a, b)

    def test_json_output_is_the_summary_and_a_pipe_sees_no_progress_bar(self):
        done = orrery('run', scenario('rollout.yaml'), '-o', 'json', check=0)
        self.assertEqual(json.loads(done.stdout)['scenario'], 'rollout')
        self.assertEqual(done.stderr, '')

    def test_the_study_gives_the_published_figure(self):
        summary = json.loads(orrery('run', scenario('fgd.yaml'), '--seed', '42', '-o', 'json', check=0).stdout)
        unallocated = summary['gpuByArrivedPct']['100']['unallocatedPct']
        self.assertAlmostEqual(unallocated, 4.77, delta=0.6)

    def test_a_sweep_does_not_depend_on_j_and_goes_on_after_a_kill(self):
        args = ['sweep', scenario('fgd.yaml'), '--grid', 'policy=BestFit,DotProd', '--seeds', '1..3']
        orrery(*args, '-j', '1', '--out', self.path('one.csv'), check=0)
        orrery(*args, '-j', '2', '--out', self.path('two.csv'), check=0)
        self.assertEqual(self.read('one.csv'), self.read('two.csv'))
        header = self.read('one.csv').decode().splitlines()[0]
        self.assertEqual(header, 'trace,policy,tieBreak,seed,unallocated_gpu_pct_at_100')
        process = subprocess.Popen([BINARY, *args, '--out', self.path('killed.csv')], stdout=subprocess.DEVNULL)
        journal = self.path('killed.csv.journal')
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if self.lines_of(journal) > 2:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        orrery(*args, '--out', self.path('killed.csv'), check=0)
        self.assertEqual(self.read('killed.csv'), self.read('one.csv'))
        self.assertFalse(os.path.exists(journal))

    def test_invalid_objects_of_a_workload_are_named(self):
        with open(self.path('pod.yaml'), 'w') as handle:
            handle.write('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, resources: {requests: {cpu: "-1"}}}]}\n')
        with open(self.path('s.yaml'), 'w') as handle:
            handle.write('cluster: {nodes: [{group: {}}]}\nworkloads: [{manifests: pod.yaml}]\n')
        self.assertIn('requests[cpu]', orrery('run', self.path('s.yaml'), check=2).stderr)
        with open(self.path('pod.yaml'), 'w') as handle:
            handle.write('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containors: []\n')
        self.assertIn('unknown field "spec.containors"', orrery('validate', self.path('s.yaml'), check=2).stderr)

    def test_trace_inspect(self):
        sample = os.path.join(SOURCE, 'traces/samples/openb/openb_pod_list_default.csv.gz')
        totals = json.loads(orrery('trace', 'inspect', sample, '-o', 'json', check=0).stdout)
        self.assertEqual(totals['pods'], 8152)
        self.assertEqual(totals['gpuMilli'], 6086800)
        nodes = os.path.join(SOURCE, 'traces/samples/openb/openb_node_list_gpu_node.csv.gz')
        self.assertIn('1213', orrery('trace', 'inspect', nodes, check=0).stdout)

    def test_the_summary_has_every_measure_over_time(self):
        summary = json.loads(orrery('run', scenario('rollout.yaml'), '-o', 'json', check=0).stdout)
        for name in ('queueWaitSeconds', 'schedulingSeconds', 'startupSeconds'):
            self.assertEqual(list(summary[name]), ['count', 'mean', 'p50', 'p90', 'p99', 'max'])
        for name in ('allocation', 'utilisation'):
            self.assertEqual(list(summary[name]), ['cpu', 'memory', 'gpu'])
            self.assertGreater(summary[name]['cpu']['meanPct'], 0)
        # Pods are bound before they run.
        self.assertLess(summary['utilisation']['cpu']['meanPct'], summary['allocation']['cpu']['meanPct'])
        over_time = summary['overTime']
        self.assertEqual({len(column) for column in over_time.values()}, {101})
        self.assertEqual(over_time['seconds'][0], 0)
        self.assertEqual(over_time['seconds'][-1], summary['virtualSeconds'])

    def test_seeds_get_a_report_each(self):
        orrery('run', scenario('rollout.yaml'), '--seeds', '3..5', '--out', self.path('out'), check=0)
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['seed-3', 'seed-4', 'seed-5'])
        self.assertEqual(json.loads(self.read('out', 'seed-4', 'summary.json'))['seed'], 4)

    def test_a_report_is_replaced_by_a_newer_one(self):
        for seed in ('1', '2'):
            orrery('run', scenario('rollout.yaml'), '--seed', seed, '--out', self.path('out'), check=0)
        self.assertEqual(json.loads(self.read('out', 'summary.json'))['seed'], 2)

    def test_a_terminal_sees_a_progress_bar_unless_told_not_to(self):
        for option, expected in (('', True), ('--no-progress', False)):
            command = f'{BINARY} run {scenario("fgd.yaml")} {option}'
            done = subprocess.run(['script', '-qec', command, '/dev/null'], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            self.assertEqual('\033[K' in done.stdout, expected)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=2)
