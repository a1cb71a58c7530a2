"""Runs of a real control plane with a kubelet of known delays, and simulations of the same clusters, milestone by milestone.

usage: timelines_test.py PATH_OF_orrery SOURCE_FOLDER [-v] [SCENARIO...]

The recordings are not part of the project: exit code 77 (skipped) where ORRERY_TIMELINES (default
../shared/timelines) does not have them. A milestone is a transition of an object ("Pod web-…-#* ready"): it must
come as often as recorded, and its first and last time must lie within those of the recorded runs, widened
as their README says. `scenarios: passed/total` counts scenarios all of whose milestones are right.
"""
import collections
import datetime
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

BINARY, SOURCE = (os.path.abspath(a) for a in sys.argv[1:3])
VERBOSE, ONLY = '-v' in sys.argv[3:], [a for a in sys.argv[3:] if a != '-v']
FOLDER = os.path.abspath(os.environ.get('ORRERY_TIMELINES', os.path.join(SOURCE, '../shared/timelines')))

# What each scenario is there for is a part of the control plane; these parts exist.
SCENARIOS = ['01-deploy-create', '02-rolling-update', '03-rolling-update-strict', '04-recreate', '05-rollback-pause-deadline', '06-scale', '07-statefulset-ordered', '08-statefulset-parallel',
             '09-daemonset', '10-job', '11-job-backoff', '12-job-indexed-policy', '13-cronjob', '14-node-failure', '15-drain-pdb', '16-delete-cascade', '17-endpointslice', '18-capacity', '20-crashloop', '22-pod-deletion', '23-node-delete']
# What no simulation does.
LATER = re.compile(r'^kubectl ')
WARM_UP = 20  # seconds before t = 0

# Which waits count whole seconds, and which are up to a loop that goes round every few.
WHOLE_SECONDS = re.compile(r'^Job |^Deployment .*(Progressing|Available)|^Pod ')
LOOPS = {'14-node-failure': 5, '15-drain-pdb': 5}
# What is another way on purpose: our kubelet says that a container has ended also if it starts it again at once.
OURS_ALONE = {'11-job-backoff': ['Pod restarts-#* ready'],
              # Ready within milliseconds, they are counted together.
              '16-delete-cascade': ['PDB d disruptionsAllowed=1'],
              '20-crashloop': ['Pod web-5f4554b4d-#* ready', 'Pod web-7b87675985-#* ready', 'Deployment web condition Available=False/MinimumReplicasUnavailable',
                               'Deployment web condition Available=True/MinimumReplicasAvailable',
                               'Endpoint web-5f4554b4d-#* ready=True serving=True terminating=False', 'Endpoint web-5f4554b4d-#* ready=False serving=False terminating=False',
                               'Endpoint web-7b87675985-#* ready=True serving=True terminating=False', 'Endpoint web-7b87675985-#* ready=False serving=False terminating=False']}


def conditions(rows, *names):
    return [{key: row.get(key, '') for key in ('type', 'status', 'reason')} for row in rows or [] if not names or row['type'] in names]


class Milestones:
    """Names of transitions with their times, of changes in the form of the recordings."""

    def __init__(self):
        self.times = collections.defaultdict(list)
        self.before = {}

    def mark(self, change, what):
        self.times[f"{change['kind']} {re.sub('#[0-9]+$', '#*', change['name'])} {what}"].append(change['t'])

    def on(self, change):
        if change['type'] not in ('INITIAL', 'ADDED', 'MODIFIED', 'DELETED'):
            return
        handler = getattr(self, 'on_' + change['kind'].lower(), None)
        if not handler:
            return
        key = change['kind'], change['name']
        before = self.before.get(key)
        if change['type'] != 'INITIAL':
            handler(change, before or {})
        self.before[key] = None if change['type'] == 'DELETED' else change

    def on_pod(self, pod, before):
        if pod['type'] == 'ADDED':
            self.mark(pod, 'created')
        for what, holds in (('bound', lambda p: bool(p.get('node'))), ('running', lambda p: p.get('phase') == 'Running'),
                            ('ready', lambda p: bool(p.get('containers')) and all(c['ready'] for c in p['containers'])), ('deletion-asked', lambda p: bool(p.get('deleting')) or p.get('type') == 'DELETED'),
                            ('succeeded', lambda p: p.get('phase') == 'Succeeded'), ('failed', lambda p: p.get('phase') == 'Failed')):
            if holds(pod) and not holds(before):
                self.mark(pod, what)
        if pod['type'] == 'DELETED':
            self.mark(pod, 'removed')

    def on_replicaset(self, change, before):
        if change['type'] == 'ADDED':
            self.mark(change, 'created')
        elif change['type'] == 'MODIFIED' and before and change['spec']['replicas'] != before['spec']['replicas']:
            self.mark(change, 'spec.replicas changed')

    def on_conditions(self, change, before):
        known = {row['type']: (row['status'], row['reason']) for row in before.get('conditions', [])}
        for row in change.get('conditions', []):
            if known.get(row['type']) != (row['status'], row['reason']):
                self.mark(change, f"condition {row['type']}={row['status']}/{row['reason']}")

    on_deployment = on_job = on_conditions

    def on_cronjob(self, change, before):
        if change['type'] == 'MODIFIED' and change['active'] != before.get('active', []):
            self.times[f"CronJob {change['name']} active changed"].append(change['t'])

    def on_endpointslice(self, change, before):
        if change['type'] == 'DELETED':
            return
        was, now = before.get('endpoints') or {}, change.get('endpoints') or {}
        state = lambda row: ' '.join(f'{key}={row[key]}' for key in ('ready', 'serving', 'terminating'))
        for name in {*was, *now}:
            if name not in now:
                self.mark({'kind': 'Endpoint', 'name': name, 't': change['t']}, 'gone')
            elif name not in was or state(was[name]) != state(now[name]):
                self.mark({'kind': 'Endpoint', 'name': name, 't': change['t']}, state(now[name]))

    def on_namespace(self, change, before):
        if change['type'] == 'DELETED':
            self.times['Namespace removed'].append(change['t'])

    def on_poddisruptionbudget(self, change, before):
        allowed = lambda row: row.get('status', {}).get('disruptionsAllowed')
        if change['type'] == 'MODIFIED' and allowed(change) != allowed(before):
            self.times[f"PDB {change['name']} disruptionsAllowed={allowed(change)}"].append(change['t'])

    def on_node(self, change, before):
        # What stood at t = 0 does not count here: the first change tells of readiness, and of nothing else.
        if before.get('type') == 'INITIAL' or change.get('ready') != before.get('ready'):
            self.mark(change, f"Ready={change.get('ready')}")
        if change['type'] == 'MODIFIED' and before.get('type') != 'INITIAL' and change.get('taints') != before.get('taints'):
            self.mark(change, 'taints=' + ','.join(change.get('taints') or []))


def fields(kind, item, names):
    """The fields of a recording, of an object."""
    meta, spec, status = item['metadata'], item.get('spec', {}), item.get('status', {})
    if kind == 'Pod':
        return {'node': spec.get('nodeName'), 'phase': status.get('phase'), 'deleting': 'deletionTimestamp' in meta,
                'containers': [{'ready': c['ready']} for c in status.get('containerStatuses', [])]}
    if kind == 'ReplicaSet':
        return {'spec': {'replicas': spec.get('replicas', 1)}}
    if kind == 'Namespace':
        return {}
    if kind == 'EndpointSlice':
        pod = lambda row: names.of('Pod', row['targetRef'])
        return {'endpoints': {pod(row): {key: row['conditions'].get(key, False) for key in ('ready', 'serving', 'terminating')}
                              for row in item.get('endpoints') or []}}
    if kind == 'CronJob':
        return {'active': [ref['uid'] for ref in status.get('active') or []]}
    if kind == 'PodDisruptionBudget':
        return {'status': {'disruptionsAllowed': status.get('disruptionsAllowed')}}
    if kind in ('Deployment', 'Job'):
        return {'conditions': conditions(status.get('conditions'))}
    if kind == 'Node':
        ready = [row['status'] for row in status.get('conditions', []) if row['type'] == 'Ready']
        return {'ready': ready[0] if ready else None, 'taints': [f"{t['key']}:{t['effect']}" for t in spec.get('taints', [])]}
    return None


class Names:
    """`web-8568f84598-#3`: the third that was created with that generateName; `cron-#2`: the second Job of a CronJob."""

    def __init__(self):
        self.names, self.counts = {}, collections.Counter()

    def of(self, kind, meta):
        prefix, key = meta.get('generateName'), (kind, meta['uid'])
        for owner in meta.get('ownerReferences') or []:
            if kind == 'Job' and owner['kind'] == 'CronJob':
                prefix = owner['name'] + '-'
            elif owner['kind'] == 'Job' and ('Job', owner['uid']) in self.names:
                prefix = self.names['Job', owner['uid']] + '-'
        if not prefix:
            return self.names.get(key, meta['name'])
        if key not in self.names:
            self.counts[kind, prefix] += 1
            self.names[key] = f'{prefix}#{self.counts[kind, prefix]}'
        return self.names[key]


def scenario_of(recorded, run, folder, known):
    """The scenario file of a simulation of the same cluster; manifests are written beside it."""
    nodes, kubelet = recorded['nodes'], recorded['kubelet']
    clock = next(change['wallClock'] for change in run if change['type'] == 'START')
    start = datetime.datetime.fromisoformat('2025-06-01T' + clock) - datetime.timedelta(seconds=WARM_UP)
    zones = ['zone-a', 'zone-b', 'zone-c']
    out = {
        'start': start.isoformat(timespec='milliseconds') + 'Z', 'horizon': f"{recorded['duration'] + WARM_UP}s",
        'cluster': {'nodes': []},
        # The recorded kubelets took some time to react.
        'kubelet': {'sandbox': 0.05, 'start': kubelet['startDelay'], 'restart': 0, 'ready': kubelet['readyDelay'], 'stop': kubelet['stopDelay'],
                    'stopExitCode': kubelet['stopExitCode'], 'leases': 'written', 'outages': []},
        'controlPlane': {'latency': '3ms'}, 'metrics': {'timeline': True}, 'workloads': [], 'actions': []}
    joins = {f'node-{i + 1}': 0 for i in range(nodes['count'])}
    joins.update({action['name']: action['t'] + WARM_UP for action in recorded['actions'] if action.get('do') == 'add'})
    for name, at in joins.items():
        path = os.path.join(folder, name + '.yaml')
        with open(path, 'w') as file:
            yaml.safe_dump({'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': name, 'labels': {
                'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zones[int(name[5:]) % 3 - 1], 'topology.kubernetes.io/region': 'region-1'}},
                'status': {part: {'cpu': nodes['cpu'], 'memory': nodes['memory'], 'pods': nodes['pods']} for part in ('capacity', 'allocatable')}}, file)
        out['cluster']['nodes'].append({'at': f'{at}s', 'manifests': path})
    if any(action.get('kind') == 'Namespace' for action in recorded['actions']):
        path = os.path.join(folder, 'namespace.yaml')
        with open(path, 'w') as file:
            yaml.safe_dump({'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'test'}}, file)
        out['workloads'].append({'manifests': path})
    for i, action in enumerate(recorded['actions']):
        at = f"{action['t'] + WARM_UP}s"
        if action['op'] == 'create':
            path = os.path.join(folder, f'{i}.yaml')
            with open(path, 'w') as file:
                yaml.safe_dump(renamed(action['manifest']), file)
            out['workloads'].append({'at': at, 'namespace': 'test', 'manifests': path})
        elif action['op'] in ('patch', 'delete'):
            if not name_of(action['name'], run, known):
                continue
            target = {'apiVersion': VERSIONS[action['kind']], 'kind': action['kind'], 'namespace': 'test', 'name': name_of(action['name'], run, known)}
            if action['op'] == 'patch':
                target.update(type=action['patchType'], patch=action['patch'])
            target.update({key: action[key] for key in ('propagationPolicy', 'gracePeriodSeconds') if key in action})
            out['actions'].append({'at': at, action['op']: target})
        elif action['op'] == 'node' and action['do'] == 'stop':
            back = [a['t'] for a in recorded['actions'] if a['op'] == 'node' and a['name'] == action['name'] and a['do'] == 'start']
            out['kubelet']['outages'].append({'node': action['name'], 'at': at, **({'for': f"{back[0] - action['t']}s"} if back else {})})
        elif action.get('args', [''])[0] == 'drain':
            out['actions'].append({'at': at, 'drain': action['args'][1]})
        elif action['op'] != 'node':
            raise ValueError(f"no such action yet: {action}")
    return out


VERSIONS = {'Namespace': 'v1', 'DaemonSet': 'apps/v1', 'CronJob': 'batch/v1', 'Deployment': 'apps/v1', 'ReplicaSet': 'apps/v1', 'StatefulSet': 'apps/v1', 'Job': 'batch/v1', 'Pod': 'v1', 'Node': 'v1', 'Service': 'v1'}


OURS = {'run-seconds': 'orrery.dev/run-seconds', 'exit-code': 'orrery.dev/exit-code', 'exit-code-by-index': 'orrery.dev/exit-code'}


def name_of(name, run, known):
    """`@owned-by-web` is the ReplicaSet of web; what has a generated name is called as in `known`."""
    if '#' in name:
        return known.get(name)
    if not name.startswith('@owned-by-'):
        return name
    return next(c['name'] for c in run if c['kind'] == 'ReplicaSet' and c['owner'] == 'Deployment/' + name.removeprefix('@owned-by-'))


def renamed(item):
    """The annotations of the recorded kubelets under our names."""
    if isinstance(item, list):
        return [renamed(i) for i in item]
    if not isinstance(item, dict):
        return item
    out = {key: renamed(value) for key, value in item.items()}
    if 'annotations' in out:
        out['annotations'] = {OURS.get(key, key): value for key, value in out['annotations'].items()}
    return out


def lines(path):
    opened = gzip.open(path, 'rt') if path.endswith('.gz') else open(path)
    with opened as file:
        return [json.loads(line) for line in file]


def timeline(recorded, run, known):
    """The changes of a simulation."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, 'scenario.yaml'), os.path.join(folder, 'out')
        with open(path, 'w') as file:
            yaml.safe_dump(scenario_of(recorded, run, folder, known), file)
        done = subprocess.run([BINARY, 'run', path, '--out', out, '--no-progress'], capture_output=True, text=True)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        return lines(os.path.join(out, 'timeline.jsonl'))


def names_in(changes):
    names, known = Names(), {}
    for change in changes:
        meta = change['object']['metadata']
        known[names.of(change['object']['kind'], meta)] = meta['name']
    return known


def simulated(name, recorded):
    run = lines(os.path.join(FOLDER, name, 'run1.jsonl.gz'))
    changes = timeline(recorded, run, {})
    if any('#' in action.get('name', '') for action in recorded['actions']):
        # The same world has the same names: those of its pods are known from a run before.
        changes = timeline(recorded, run, names_in(changes))
    milestones, names = Milestones(), Names()
    for change in changes:
        item, kind = change['object'], change['object']['kind']
        found = fields(kind, item, names)
        if found is not None:
            kind_of_change = 'INITIAL' if change['t'] < WARM_UP else change['type']
            milestones.on(dict(found, t=round(change['t'] - WARM_UP, 3), kind=kind, name=names.of(kind, item['metadata']), type=kind_of_change))
    return with_hashes_of(run, milestones.times)


def with_hashes_of(run, times):
    """Templates that had to be changed have other hashes: the ReplicaSets are told apart by their order."""
    theirs = [change['name'] for change in run if change['kind'] == 'ReplicaSet' and change['type'] == 'ADDED']
    ours = [key.split()[1] for key in sorted(times, key=lambda key: times[key][0]) if key.startswith('ReplicaSet ') and key.endswith(' created')]
    for one, other in zip(ours, theirs):
        times = {key.replace(f' {one}', f' {other}'): at for key, at in times.items()}
    return times


def differences(name, expected, times):
    """What is wrong with the times of a run."""
    wrong = []
    for milestone, bounds in expected.items():
        if LATER.match(milestone) or milestone in OURS_ALONE.get(name, []):
            continue
        found = sorted(times.get(milestone, []))
        counts = bounds['count'] if isinstance(bounds['count'], list) else [bounds['count']]
        # Where runs differ in how many steps they take, their times are given instead of bounds.
        ends = {which: bounds.get(which) or [f((run[end] for run in bounds['times'] if run), default=None) for f in (min, max)] for which, end in (('first', 0), ('last', -1))}
        if not min(counts) <= len(found) <= max(counts):
            wrong.append(f"{milestone}: {len(found)} times, expected {bounds['count']} (at {found[:6]})")
            continue
        if not found:
            continue
        for which, at in (('first', found[0]), ('last', found[-1])):
            low, high = ends[which]
            slack = 0.3 + (1 if WHOLE_SECONDS.search(milestone) else 0) + LOOPS.get(name, 0)
            if not low - slack - low / 100 <= at <= high + slack + high / 100:
                wrong.append(f'{milestone}: {which} at {at}, expected {low} to {high}')
    for milestone in sorted(set(times) - set(expected) - set(OURS_ALONE.get(name, []))):
        wrong.append(f'{milestone}: at {times[milestone][:6]}, never recorded')
    return wrong


def main():
    if not os.path.isdir(FOLDER):
        print(f'skipped: {FOLDER} is not there')
        return 77
    with open(os.path.join(FOLDER, 'milestones.json')) as file:
        expected = json.load(file)
    passed, chosen = 0, ONLY or SCENARIOS
    for name in chosen:
        with open(os.path.join(FOLDER, name, 'scenario.yaml')) as file:
            recorded = yaml.safe_load(file)
        wrong = differences(name, expected[name], simulated(name, recorded))
        passed += not wrong
        print(f"{'FAIL' if wrong else 'PASS'} {name} ({len(expected[name])} milestones)")
        for line in wrong:
            print('     ' + line)
    print(f'scenarios: {passed}/{len(chosen)}')
    return 0 if passed == len(chosen) else 1


if __name__ == '__main__':
    sys.exit(main())
