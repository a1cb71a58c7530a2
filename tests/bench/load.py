"""The load of a large cluster on a real `orrery apiserver`: requests/s, delays, CPU per request, memory.

usage: load.py PATH_OF_orrery [--etcd] [--bench PATH_OF_orrery_bench] [FLAGS OF apiload ...]

Runs apiload (Go, from the folder ORRERY_APILOAD, default ../shared/tools/apiload; the real API server's figures for
it are known) against a server that keeps its state embedded, or in an etcd of its own. With --bench, etcd's own rate
of puts with as many in flight is measured before and after. Lists of one node's pods are too short for the 10 ms in
which apiload counts CPU time: they are measured again, many of them, by the scheduler's count of nanoseconds.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'e2e'))
from api_process import TOKEN, ApiProcess, Client  # noqa: E402
from etcd_cluster import EtcdCluster  # noqa: E402

NODE_LISTS = 3000
NODES = 1000  # as apiload spreads its pods
PHASES = ('create', 'get', 'list-namespace', 'list-cached', 'list-page-500', 'list-node', 'patch', 'watch', 'delete')


def build_apiload(folder):
    source = os.environ.get('ORRERY_APILOAD', os.path.join(HERE, '..', '..', '..', 'shared', 'tools', 'apiload'))
    program = os.path.join(folder, 'apiload')
    subprocess.run(['go', 'build', '-o', program, '.'], cwd=source, check=True)
    return program


def cpu_seconds(pid):
    total = 0
    for path in glob.glob('/proc/%d/task/*/schedstat' % pid):
        with open(path) as file:
            total += int(file.read().split()[0])
    return total / 1e9


def show_put_rate(bench):
    command = [bench, '--benchmark_filter=store_put_etcd.*baseline/64', '--benchmark_format=json']
    runs = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    for run in runs['benchmarks']:
        print('%-32s %8.0f/s' % (run['name'].split('/')[0], run['items_per_second']))


def show_phases(result, names):
    for phase in PHASES:
        figures = result.get(phase)
        if not isinstance(figures, dict):
            continue
        count = figures.get('n') or figures['delivered']
        line = '%-16s %8.0f/s  p50 %6.1f ms  p99 %6.1f ms' % (
            phase, figures.get('perSecond', figures.get('deliveredPerSecond')), figures['p50ms'], figures['p99ms'])
        for pid, name in names.items():
            line += '  %s %.1f us, %d MB' % (name, figures['server']['cpuSeconds'][pid] / count * 1e6,
                                             figures['server']['residentMB'][pid])
        print(line + ('  FAILED %d' % figures['failed'] if figures.get('failed') else ''))


def show_node_lists(server):
    client = Client([server.port])
    path = '/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%%3Dnode-%d'
    size = len(client.open('GET', path % 0).read())
    before = cpu_seconds(server.process.pid)
    for i in range(NODE_LISTS):
        client.open('GET', path % (i % NODES)).read()
    used = cpu_seconds(server.process.pid) - before
    client.close()
    print('%-16s %d lists of %d bytes: server %.1f us' % ('by node', NODE_LISTS, size, used / NODE_LISTS * 1e6))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('binary')
    parser.add_argument('--etcd', action='store_true')
    parser.add_argument('--bench')
    options, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build_apiload(folder)
        etcd = EtcdCluster(folder) if options.etcd else None
        if options.bench:
            show_put_rate(options.bench)
        server = ApiProcess(os.path.abspath(options.binary), os.path.join(folder, 'server'),
                            '--authorization-mode', 'Node,RBAC', *(('--etcd-servers', etcd.endpoints) if etcd else ()))
        names = {str(server.process.pid): 'server'}
        if etcd:
            names[str(etcd.processes[0].pid)] = 'etcd'
        try:
            command = [program, '-server', 'https://127.0.0.1:%d' % server.port, '-token', TOKEN,
                       '-pid', ','.join(names)]
            run = subprocess.run(command + flags, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            show_phases(json.loads(run.stdout), names)
            show_node_lists(server)
        finally:
            server.stop()
            if etcd:
                etcd.stop()
        if options.bench:
            show_put_rate(options.bench)


if __name__ == '__main__':
    main()
