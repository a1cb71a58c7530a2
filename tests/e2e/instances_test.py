"""Two `orrery apiserver` on one etcd: what one has acknowledged the other knows.

usage: instances_test.py PATH_OF_orrery
"""
import base64
import json
import os
import shutil
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from api_process import ApiProcess, Client, run_together
from etcd_cluster import EtcdCluster
from past import PIECE, ROUND, Past, churn, config_map

BINARY = os.path.abspath(sys.argv[1])
MAPS = '/api/v1/namespaces/default/configmaps'
SERVICES = '/api/v1/namespaces/default/services'


def service(name, **spec):
    return {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': name}, 'spec': {'ports': [{'port': 80}], **spec}}


class TwoServers(unittest.TestCase):
    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.etcd = EtcdCluster(cls.folder)
        cls.addClassCleanup(cls.etcd.stop)
        flags = ('--etcd-servers', cls.etcd.endpoints, '--service-cluster-ip-range', '10.96.0.0/24', *cls.FLAGS)
        cls.servers = []
        for name in ('a', 'b'):
            cls.servers.append(ApiProcess(BINARY, os.path.join(cls.folder, name), *flags))
            cls.addClassCleanup(cls.servers[-1].stop)

    def clients(self):
        both = [Client([server.port]) for server in self.servers]
        for client in both:
            self.addCleanup(client.close)
        return both

    def call(self, client, code, method, path, body=None, kind='application/json'):
        got, document = client.call(method, path, body, kind)
        self.assertEqual(got, code, document)
        return document


class Instances(TwoServers):
    def test_what_one_acknowledges_the_other_reads_at_once(self):
        here, there = self.clients()
        self.call(here, 201, 'POST', MAPS, config_map('seen', n='0'))
        for n in range(1, 300):
            here, there = there, here
            self.call(here, 200, 'PUT', MAPS + '/seen', config_map('seen', n=str(n)))
            if n % 3:
                self.assertEqual(self.call(there, 200, 'GET', MAPS + '/seen')['data']['n'], str(n))
            else:
                items = self.call(there, 200, 'GET', MAPS)['items']
                self.assertEqual([item['data']['n'] for item in items if item['metadata']['name'] == 'seen'], [str(n)])

    def test_what_one_makes_or_deletes_is_there_or_gone_for_the_other(self):
        here, there = self.clients()
        for n in range(60):
            here, there = there, here
            self.call(here, 201, 'POST', MAPS, config_map('fleeting'))
            self.call(there, 409, 'POST', MAPS, config_map('fleeting'))
            self.call(there, 200, 'PATCH', MAPS + '/fleeting', {'data': {'n': str(n)}}, 'application/merge-patch+json')
            self.call(here, 200, 'DELETE', MAPS + '/fleeting')
            self.call(there, 404, 'DELETE', MAPS + '/fleeting')
            self.call(there, 404, 'GET', MAPS + '/fleeting')

    def test_a_version_of_one_is_waited_for_by_the_other(self):
        here, there = self.clients()
        self.call(here, 201, 'POST', MAPS, config_map('versions'))
        for n in range(100):
            here, there = there, here
            version = self.call(here, 200, 'PUT', MAPS + '/versions', config_map('versions', n=str(n)))['metadata']['resourceVersion']
            self.assertEqual(self.call(there, 200, 'GET', MAPS + '/versions?resourceVersion=' + version)['data']['n'], str(n))
            answer = self.call(there, 200, 'GET', MAPS + '?resourceVersionMatch=NotOlderThan&resourceVersion=' + version)
            self.assertGreaterEqual(int(answer['metadata']['resourceVersion']), int(version))
            exact = self.call(here, 200, 'GET', MAPS + '?resourceVersionMatch=Exact&resourceVersion=' + version)
            self.assertEqual(exact['metadata']['resourceVersion'], version)
        code, document = there.call('GET', MAPS + '/versions?resourceVersion=%d' % (int(version) + 10**6))
        self.assertEqual(code, 504, document)

    def test_an_update_with_the_others_version_succeeds_and_a_stale_one_conflicts(self):
        here, there = self.clients()
        newest = self.call(here, 201, 'POST', MAPS, config_map('handed'))
        for n in range(100):
            here, there = there, here
            stale, newest['data'] = json.loads(json.dumps(newest)), {'n': str(n)}
            newest = self.call(here, 200, 'PUT', MAPS + '/handed', newest)
            stale['data'] = {'n': 'stale'}
            self.call(there, 409, 'PUT', MAPS + '/handed', stale)

    def test_increments_through_both_are_all_counted(self):
        self.call(self.clients()[0], 201, 'POST', MAPS, config_map('counter', n='0'))

        def count(client):
            for _ in range(25):
                code = 409
                while code == 409:
                    document = self.call(client, 200, 'GET', MAPS + '/counter')
                    document['data']['n'] = str(int(document['data']['n']) + 1)
                    code, document = client.call('PUT', MAPS + '/counter', document)
                self.assertEqual(code, 200, document)

        run_together([lambda client=client: count(client) for _ in range(3) for client in self.clients()])
        self.assertEqual(self.call(self.clients()[0], 200, 'GET', MAPS + '/counter')['data']['n'], '150')

    def test_patches_that_race_are_all_kept(self):
        self.call(self.clients()[0], 201, 'POST', MAPS, config_map('patched'))

        def patch(client, who):
            for n in range(20):
                self.call(client, 200, 'PATCH', MAPS + '/patched', {'data': {'%s.%d' % (who, n): 'x'}}, 'application/merge-patch+json')

        clients = [client for _ in range(2) for client in self.clients()]
        run_together([lambda c=client, i=i: patch(c, i) for i, client in enumerate(clients)])
        self.assertEqual(len(self.call(self.clients()[1], 200, 'GET', MAPS + '/patched')['data']), 80)

    def test_services_never_share_an_address_or_a_port(self):
        made = []

        def make(client, who):
            for n in range(20):
                made.append(self.call(client, 201, 'POST', SERVICES, service('s%d-%d' % (who, n), type='NodePort')))

        clients = [client for _ in range(3) for client in self.clients()]
        run_together([lambda c=client, i=i: make(c, i) for i, client in enumerate(clients)])
        self.assertEqual(len({one['spec']['clusterIP'] for one in made}), 120)
        self.assertEqual(len({one['spec']['ports'][0]['nodePort'] for one in made}), 120)
        # What was deleted is free again: the range has 254 addresses, one of them taken.
        for turn in range(2):
            for i, one in enumerate(made):
                self.call(clients[i % 2], 200, 'DELETE', SERVICES + '/' + one['metadata']['name'])
            if turn == 0:
                made.clear()
                run_together([lambda c=client, i=i: make(c, i) for i, client in enumerate(clients)])

    def test_an_address_that_both_ask_for_is_given_once(self):
        here, there = self.clients()
        for n in range(20):
            codes = []
            run_together([lambda c=client, i=i: codes.append(c.call('POST', SERVICES, service('same%d' % i, clusterIP='10.96.0.77'))[0])
                          for i, client in enumerate((here, there))])
            self.assertEqual(sorted(codes), [201, 422])
            for i in range(2):
                here.call('DELETE', SERVICES + '/same%d' % i)

    def test_a_watch_goes_on_at_the_other(self):
        here, there = self.clients()
        version, seen = self.call(here, 200, 'GET', MAPS)['metadata']['resourceVersion'], []
        for n in range(60):
            made = self.call(here, 201, 'POST', MAPS, config_map('watched-%d' % n))
            here, there = there, here
            watcher = Client([(self.servers[n % 2]).port])
            answer = watcher.open('GET', MAPS + '?watch=true&resourceVersion=' + version)
            event = json.loads(answer.readline())
            version = event['object']['metadata']['resourceVersion']
            seen.append((event['type'], event['object']['metadata']['name']))
            self.assertEqual(version, made['metadata']['resourceVersion'])
            watcher.close()
        self.assertEqual(seen, [('ADDED', 'watched-%d' % n) for n in range(60)])

    def test_initial_events_have_what_the_other_has_made(self):
        here, there = self.clients()
        for n in range(30):
            here, there = there, here
            self.call(here, 201, 'POST', MAPS, config_map('initial-%d' % n))
            watcher = Client(there.ports)
            path = MAPS + '?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
            answer, names = watcher.open('GET', path), set()
            while (event := json.loads(answer.readline()))['type'] != 'BOOKMARK':
                names.add(event['object']['metadata']['name'])
            self.assertIn('initial-%d' % n, names)
            watcher.close()


class Compaction(TwoServers):
    """The past is forgotten every second, by one of the servers."""
    FLAGS = ('--etcd-compaction-interval', '1s')

    def ask_etcd(self, method, **request):
        url = 'http://127.0.0.1:%d/v3/%s' % (self.etcd.client_ports[0], method)
        try:
            with urllib.request.urlopen(url, json.dumps(request).encode(), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def read_etcd(self, key, **request):
        return self.ask_etcd('kv/range', key=base64.b64encode(key.encode()).decode(), **request)

    def turns(self):
        """How often the servers have agreed."""
        return int(self.read_etcd('compact_rev_key').get('kvs', [{'version': 0}])[0]['version'])

    def until_turn(self, turn):
        end = time.monotonic() + 60
        while self.turns() < turn:
            self.assertLess(time.monotonic(), end, 'nobody compacts')
            time.sleep(0.1)

    def test_what_is_forgotten_is_gone_at_both(self):
        here, there = self.clients()
        past = Past(self, here)
        self.assertEqual(past.watch(there)['type'], 'DELETED')
        past.wait_until_forgotten(there)
        self.assertIn('compacted', self.read_etcd('/registry/configmaps/past/m0', revision=past.version)['message'])
        past.expect_forgotten(here)
        past.expect_forgotten(there)
        # A server that has seen what came since tells it, one that begins later cannot.
        self.assertEqual(past.watch(there)['type'], 'DELETED')
        self.servers[0].stop()
        self.servers[0].start()
        here.close()
        past.expect_no_watch(here)
        past.expect_forgotten(here)
        sizes = []
        churn(self, there, 5, lambda: sizes.append(int(self.ask_etcd('maintenance/status')['dbSize'])))
        self.assertLess(sizes[-1], 3 * ROUND * PIECE, sizes)

    def test_compaction_goes_on_when_a_server_dies(self):
        for server in self.servers:
            self.until_turn(self.turns() + 2)
            server.kill()
            self.until_turn(self.turns() + 3)
            server.start()


if __name__ == '__main__':
    if not EtcdCluster.available():
        print('etcd is not installed')
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
