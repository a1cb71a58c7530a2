"""Concurrent histories through HTTP while the store's members or the server are killed.

usage: linearizability_test.py PATH_OF_orrery

Clients create, update, replace, delete, read, list and watch a few objects; meanwhile members of an
etcd of three are killed, frozen and cut off, or the server on the embedded store is killed. Each
object's history must be linearizable, each list a snapshot, and watchers see every change once, in
order.
"""
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

from api_process import ApiProcess, Client, NoAnswer, NotSent, run_together
from etcd_cluster import EtcdCluster
from linearizability import NEVER, UNKNOWN, Event, Operation, check_changes, check_lists, covered, is_linearizable, merge_watches

BINARY = os.path.abspath(sys.argv[1])
MAPS = '/api/v1/namespaces/default/configmaps'
NAMES = ['k%d' % i for i in range(6)]
SELECTOR = 'labelSelector=history%3Dyes'
SECONDS = 14
ENOUGH = 100  # writes
PATIENCE = 120  # seconds more until there are as many


def config_map(name, value, version=None):
    metadata = {'name': name, 'labels': {'history': 'yes'}}
    if version:
        metadata['resourceVersion'] = version
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': metadata, 'data': {'value': value}}


def value_of(document):
    return document['data']['value']


class History:
    """What clients saw. Every method may run on many threads."""

    def __init__(self, ports, seconds):
        self.ports, self.end = ports, time.monotonic() + seconds
        self.operations = {name: [] for name in NAMES}
        self.lists, self.watches, self.written = [], [], {}
        self.unexpected = []
        self.beginnings = {1: {}}  # revision that a watch began after: what there was

    def over(self):
        """A slow machine takes longer: a history of few writes tells little."""
        late = time.monotonic() - self.end
        return late > PATIENCE or (late > 0 and len(self.written) > ENOUGH)

    def client(self, number):
        return Client(self.ports[number % len(self.ports):] + self.ports[:number % len(self.ports)], timeout=5)

    def run(self, client, name, operation, method, path, body, outcomes):
        """Records one operation: outcomes maps codes to results; another code below 500 is a failure."""
        operation.call = time.monotonic()
        self.operations[name].append(operation)
        try:
            code, document = client.call(method, path, body)
        except NotSent:
            operation.call = NEVER
            return time.sleep(0.05)
        except NoAnswer:
            return None
        if code >= 500 or code == 429:
            return None
        if code not in outcomes:
            self.unexpected.append((method, path, code, document))
            return None
        result = outcomes[code]
        operation.end = time.monotonic()
        operation.result = result(document) if callable(result) else result
        return document

    def write(self, number):
        """Creates, updates, replaces and deletes; values are never used twice."""
        rng, client, known = random.Random(number), self.client(number), {}
        for count in range(10**9):
            if self.over():
                return client.close()
            name, value = rng.choice(NAMES), '%d-%d' % (number, count)
            path, action = MAPS + '/' + name, rng.choice(['create', 'put', 'put', 'replace', 'replace', 'delete', 'read'])
            new = lambda arguments: Operation(action, 0, NEVER, arguments)
            document = None
            if action == 'create':
                document = self.run(client, name, new((value,)), 'POST', MAPS, config_map(name, value), {201: True, 409: False})
            elif action == 'put':
                document = self.run(client, name, new((value,)), 'PUT', path, config_map(name, value), {200: True, 404: False})
            elif action == 'replace' and name in known:
                version, old = known[name]
                document = self.run(client, name, new((old, value)), 'PUT', path, config_map(name, value, version), {200: True, 409: False, 404: False})
            elif action == 'delete':
                self.run(client, name, new(()), 'DELETE', path, None, {200: True, 404: False})
            elif action == 'read':
                document = self.run(client, name, new(()), 'GET', path, None, {200: value_of, 404: None})
            if document and document.get('kind') == 'ConfigMap':
                version = document['metadata']['resourceVersion']
                known[name] = version, value_of(document)
                if action != 'read':
                    self.written[int(version)] = name, value_of(document)
            time.sleep(rng.random() * 0.01)

    def list(self, number):
        """Lists the newest state: a read of every object, and a snapshot."""
        client = self.client(number)
        while not self.over():
            time.sleep(0.1)
            call = time.monotonic()
            try:
                code, document = client.call('GET', MAPS + '?' + SELECTOR)
            except NoAnswer:
                continue
            if code != 200:
                continue
            end = time.monotonic()
            items = {item['metadata']['name']: value_of(item) for item in document['items']}
            self.lists.append((int(document['metadata']['resourceVersion']), items))
            for name in NAMES:
                self.operations[name].append(Operation('read', call, end, (), items.get(name)))
        client.close()

    def settle(self):
        """The revision of the end, once the servers answer again."""
        client = self.client(0)
        for _ in range(200):
            try:
                code, document = client.call('POST', MAPS, config_map('end', 'end'))
                if code in (201, 409):
                    code, document = client.call('GET', MAPS + '/end')
                if code == 200:
                    client.close()
                    return int(document['metadata']['resourceVersion'])
            except NoAnswer:
                pass
            time.sleep(0.1)
        raise AssertionError('the servers do not answer any more')

    def watch(self, number):
        """Watches from the beginning to the object `end`, going on after breaks where it stood."""
        client, stretches = self.client(number), []
        self.watches.append(stretches)
        after, events, last = 1, [], 1
        deadline = self.end + PATIENCE + 30
        while time.monotonic() < deadline:
            try:
                answer = client.open('GET', MAPS + '?watch=true&' + SELECTOR + '&resourceVersion=%d' % last)
                if answer.status == 200:
                    for line in iter(answer.readline, b''):
                        event = json.loads(line)
                        if event['type'] == 'ERROR':
                            break
                        meta = event['object']['metadata']
                        last = int(meta['resourceVersion'])
                        events.append(Event(last, event['type'], meta['name'], value_of(event['object'])))
                        if meta['name'] == 'end':
                            stretches.append((after, last, events))
                            return client.close()
                    else:
                        event = {}
                    if event.get('object', {}).get('code') == 410:
                        version = self.begin_again(client)
                        stretches.append((after, last, events))
                        after, last, events = version, version, []
            except (NoAnswer, OSError, ValueError):
                time.sleep(0.05)
            client.close()
            client.at += 1
        raise AssertionError('a watcher did not come to the end')

    def begin_again(self, client):
        """As an informer after 410: the state of a list, and what follows it."""
        client.close()
        _, document = client.call('GET', MAPS + '?' + SELECTOR)
        version = int(document['metadata']['resourceVersion'])
        self.beginnings[version] = {item['metadata']['name']: value_of(item) for item in document['items']}
        return version

    def check(self, test):
        test.assertEqual(self.unexpected, [])
        for name in NAMES:
            self.operations[name] = [one for one in self.operations[name] if one.call != NEVER]
            test.assertTrue(is_linearizable(self.operations[name]), 'the history of %s is not linearizable' % name)
        changes = merge_watches(self.watches)
        told = {event.revision: (event.name, event.value) for event in changes}
        # What a server that was killed had not sent yet is in no watch if all had to begin again.
        for after, until in covered(self.watches):
            stretch = [event for event in changes if after < event.revision <= until]
            check_changes(stretch, self.beginnings[after])
            snapshots = list(self.beginnings.items()) + self.lists
            check_lists(stretch, [one for one in snapshots if after <= one[0] <= until], self.beginnings[after])
            for version, what in self.written.items():
                if after < version <= until:
                    test.assertEqual(told.get(version), what, 'no watcher saw the write of version %d' % version)
        answered = sum(one.result is not UNKNOWN for ones in self.operations.values() for one in ones)
        print('%d operations answered, %d not, %d lists, %d changes seen by %d watchers' % (
            answered, sum(map(len, self.operations.values())) - answered, len(self.lists), len(changes), len(self.watches)))


class Linearizability(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, name, *flags):
        server = ApiProcess(BINARY, os.path.join(self.folder, name), *flags)
        self.addCleanup(server.stop)
        return server

    def record(self, ports, break_things):
        history = History(ports, SECONDS)
        watchers = [threading.Thread(target=history.watch, args=(number,)) for number in range(3)]
        for watcher in watchers:
            watcher.start()
        run_together([lambda n=n: history.write(n) for n in range(6)] + [lambda n=n: history.list(n) for n in range(2)] +
                     [lambda: break_things(history)])
        history.settle()
        for watcher in watchers:
            watcher.join()
            self.assertTrue(history.watches)
        self.assertTrue(all(stretches and stretches[-1][2][-1].name == 'end' for stretches in history.watches))
        history.check(self)
        return history

    def test_two_servers_on_an_etcd_whose_members_fail(self):
        if not EtcdCluster.available():
            self.skipTest('etcd is not installed')
        etcd = EtcdCluster(self.folder, 3)
        self.addCleanup(etcd.stop)
        ports = [self.start(name, '--etcd-servers', etcd.endpoints).port for name in ('a', 'b')]

        def break_members(history):
            rng, faults = random.Random(4), 0
            while not history.over():
                member = faults % 3
                time.sleep(0.7 + rng.random())
                fault = [(etcd.kill, etcd.start), (etcd.freeze, etcd.thaw), (etcd.isolate, lambda m: etcd.isolate(m, False))][faults // 3 % 3]
                fault[0](member)
                time.sleep(0.4 + rng.random())
                fault[1](member)
                faults += 1

        history = self.record(ports, break_members)
        self.assertGreater(len(history.written), ENOUGH)

    def test_a_server_on_the_embedded_store_that_is_killed(self):
        server = self.start('embedded')

        def kill(history):
            rng = random.Random(5)
            while not history.over():
                time.sleep(0.5 + rng.random() * 2)
                server.kill()
                server.start()

        history = self.record([server.port], kill)
        self.assertGreater(len(history.written), ENOUGH)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
