"""What a client sees of revisions that are kept, and of those that the store has forgotten."""
import json
import time

NAMESPACE = '/api/v1/namespaces/past'
MAPS = NAMESPACE + '/configmaps'


def config_map(name, **data):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': name}, 'data': data}


def names(items):
    return [item['metadata']['name'] for item in items]


class Past:
    """Eight config maps as they were: since then one has gone, one has changed and one has come."""

    def __init__(self, test, client):
        self.test = test
        self.call(client, 201, 'POST', '/api/v1/namespaces', {'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'past'}})
        for n in range(8):
            self.call(client, 201, 'POST', MAPS, config_map('m%d' % n, state='old'))
        page = self.call(client, 200, 'GET', MAPS + '?limit=3')
        self.version, self.token = page['metadata']['resourceVersion'], page['metadata']['continue']
        self.call(client, 200, 'DELETE', MAPS + '/m4')
        self.call(client, 200, 'PUT', MAPS + '/m7', config_map('m7', state='new'))
        self.call(client, 201, 'POST', MAPS, config_map('m9', state='new'))

    def call(self, client, code, *request):
        got, document = client.call(*request)
        self.test.assertEqual(got, code, document)
        return document

    def exactly(self):
        return MAPS + '?resourceVersionMatch=Exact&resourceVersion=' + self.version

    def expect_kept(self, client):
        whole = self.call(client, 200, 'GET', self.exactly())
        self.test.assertEqual(whole['metadata']['resourceVersion'], self.version)
        self.test.assertEqual([(item['metadata']['name'], item['data']['state']) for item in whole['items']],
                              [('m%d' % n, 'old') for n in range(8)])
        self.call(client, 200, 'GET', self.exactly().replace(MAPS, NAMESPACE + '/secrets'))
        rest = self.call(client, 200, 'GET', MAPS + '?limit=9&continue=' + self.token)
        self.test.assertEqual((names(rest['items']), rest['metadata']['resourceVersion']), (['m3', 'm4', 'm5', 'm6', 'm7'], self.version))

    def wait_until_forgotten(self, client, limit=60):
        end = time.monotonic() + limit
        while client.call('GET', self.exactly())[0] == 200:
            self.test.assertLess(time.monotonic(), end, 'not compacted within %d s' % limit)
            time.sleep(0.1)

    def expect_forgotten(self, client):
        self.call(client, 410, 'GET', self.exactly().replace(MAPS, NAMESPACE + '/secrets'))  # which have not changed since
        status = self.call(client, 410, 'GET', self.exactly())
        self.test.assertEqual((status['reason'], status['message']), ('Expired', 'The resourceVersion for the provided list is too old.'))
        status = self.call(client, 410, 'GET', MAPS + '?limit=3&continue=' + self.token)
        self.test.assertEqual(status['reason'], 'Expired')
        self.test.assertIn('results in an inconsistent list', status['message'])
        # The token of the answer goes on behind the same name, in the newest state, page by page.
        rest = self.call(client, 200, 'GET', MAPS + '?limit=2&continue=' + status['metadata']['continue'])
        self.test.assertEqual(names(rest['items']), ['m3', 'm5'])
        self.test.assertGreater(int(rest['metadata']['resourceVersion']), int(self.version))
        rest = self.call(client, 200, 'GET', MAPS + '?limit=9&continue=' + rest['metadata']['continue'])
        self.test.assertEqual([(item['metadata']['name'], item['data']['state']) for item in rest['items']],
                              [('m6', 'old'), ('m7', 'new'), ('m9', 'new')])

    def watch(self, client):
        """The first event of a watch from the past."""
        event = json.loads(client.open('GET', MAPS + '?watch=true&resourceVersion=' + self.version).readline())
        client.close()
        return event

    def expect_no_watch(self, client):
        event = self.watch(client)
        self.test.assertEqual((event['type'], event['object']['code'], event['object']['reason']), ('ERROR', 410, 'Expired'), event)
        self.test.assertIn('too old resource version: %s (' % self.version, event['object']['message'])


ROUND, PIECE = 40, 100_000  # what one round of churn writes


def churn(test, client, rounds, after_round):
    """Rounds of ROUND writes of PIECE bytes to one object; the store forgets each before the next."""
    for n in range(rounds):
        for _ in range(ROUND):
            code, document = client.call('PATCH', MAPS + '/m0', {'data': {'state': 'old', 'filler': chr(97 + n) * PIECE, 'n': str(time.monotonic_ns())}},
                                         'application/merge-patch+json')
            test.assertEqual(code, 200, document)
            version = document['metadata']['resourceVersion']
        code, document = client.call('PATCH', MAPS + '/m0', {'data': {'filler': None}}, 'application/merge-patch+json')
        test.assertEqual(code, 200, document)
        end = time.monotonic() + 60
        while client.call('GET', MAPS + '?resourceVersionMatch=Exact&resourceVersion=' + version)[0] == 200:
            test.assertLess(time.monotonic(), end, 'not compacted')
            time.sleep(0.1)
        after_round()
