#!/usr/bin/env python3
"""Compares engine/api/schema with the recorded facts about Kubernetes v1.32: fields, protobuf
numbers, list types and defaults, served resources, storage keys.

usage: schema_facts.py SOURCE_DIR (the facts are found beside the vectors, see CONTRIBUTING.md)
"""
import collections
import csv
import gzip
import json
import os
import sys

SKIP = 77
# Known differences, each with its reason.
ALLOWED = {
    # Recorded with a protobuf number, but the kind has no message of its own: its bytes are those
    # of the TypeMeta that it embeds, as the codec vectors show.
    ('field', 'io.k8s.kubelet.config.v1beta1.SerializedNodeConfigSource', 'source'),
    # The raw bytes of the envelope are the codec's own business.
    ('proto', 'io.k8s.apimachinery.pkg.runtime.Unknown', '2'),
}


class Check:
    def __init__(self, name):
        self.name, self.passed, self.total = name, 0, 0

    def expect(self, key, ours, theirs):
        self.total += 1
        if ours == theirs or key in ALLOWED:
            self.passed += 1
        else:
            print(f"  {' '.join(map(str, key))}: expected {theirs!r}, found {ours!r}")

    def done(self):
        print(f'{self.name}: {self.passed}/{self.total}')
        return self.passed == self.total


def rows(path):
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rt', newline='', encoding='utf-8') as handle:
        return list(csv.DictReader(handle))


def read_json(path):
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rt', encoding='utf-8') as handle:
        return json.load(handle)


def flat(types, name):
    """Fields by JSON name, inlined ones included."""
    out = {}
    for row in types.get(name, []):
        for key, value in (flat(types, row['valueType']) if row['inline'] == '1' else {row['json']: row}).items():
            out.setdefault(key, value)
    return out


def check_fields(types, facts):
    check = Check('schema-fields')
    for row in rows(os.path.join(facts, 'api', 'fields.csv.gz')):
        order = int(row['order'])
        ours = next((r for r in types.get(row['type'], []) if int(r['order']) == order), {})
        for column in row:
            if column in ours or not ours:
                check.expect(('field', row['type'], row['json']), ours.get(column), row[column])
    return check.done()


def check_kinds(kinds, facts):
    check = Check('schema-kinds')
    ours = {(f"{k['group']}/{k['version']}" if k['group'] else k['version']) + ' ' + k['kind']: k['type'] for k in kinds}
    for row in rows(os.path.join(facts, 'api', 'kinds.csv')):
        check.expect(('kind', row['groupVersionKind']), ours.get(row['groupVersionKind']), row['type'])
    return check.done()


def check_merge_facts(types, recorded):
    check = Check('schema-merge')
    recorded_types = read_json(os.path.join(recorded, 'fields.json.gz'))['types']
    for name, about in recorded_types.items():
        if 'fields' not in about or name not in types:
            continue
        fields = flat(types, name)
        check.expect(('members of', name), sorted(fields), sorted(about['fields']))
        for key, fact in about['fields'].items():
            row = fields.get(key, {})
            default = '' if fact.get('default') is None else json.dumps(fact['default'], separators=(',', ':'))
            # A struct field is atomic if the field or its type says so.
            atomic = fact.get('mapType') or recorded_types.get(fact['type'], {}).get('mapType') or ''
            expected = [fact.get('listType') or '', ' '.join(fact.get('listMapKeys') or []), fact.get('patchStrategy') or '',
                        fact.get('patchMergeKey') or '', atomic, '1' if fact.get('required') else '0', default]
            found = [row.get(c) for c in ('listType', 'listMapKeys', 'patchStrategy', 'patchMergeKey', 'mapType', 'required', 'default')]
            found[5] = '1' if found[5] == '1' else '0'
            found[6] = '' if found[6] == '""' else found[6]  # the recording leaves defaults out that are empty
            check.expect(('merge facts of', name, key), found, expected)
    return check.done()


def check_proto(types, recorded):
    check = Check('schema-proto')
    for row in rows(os.path.join(recorded, 'proto_fields.csv.gz')):
        name = 'io.k8s' + row['package'].removeprefix('k8s.io') + '.' + row['message']
        if name not in types or row['label'] == 'empty':
            continue
        ours = [r for r in types[name] if r['protobufNumber'] == row['number']]
        check.expect(('proto', name, row['number']), len(ours), 1)
        if ours:
            # Inlined members have the embedded type's name.
            label = (ours[0]['json'] or row['field']).lower()
            check.expect(('proto', name, row['number']), label, row['field'].lower())
    return check.done()


def check_resources(kinds, recorded):
    check = Check('schema-resources')
    by_kind = {(k['group'], k['version'], k['kind']): k for k in kinds}
    for served in read_json(os.path.join(recorded, 'resources.json'))['served']:
        key = (served['group'], served['version'], served['kind'])
        ours = by_kind.get(key, collections.defaultdict(str))
        check.expect(key, [ours['plural'], ours['singular'], ours['namespaced'] == '1', ours['shortNames'].split(),
                           ours['categories'].split(), ours['verbs'].split(), ours['subresources'].split()],
                     [served['plural'], served['singular'], served['namespaced'], served['shortNames'],
                      served['categories'], served['verbs'], [s['name'] for s in served['subresources']]])
    return check.done()


def check_storage(kinds, recorded):
    check = Check('schema-storage')
    ours = {(k['group'], k['version'], k['plural']): k['storagePrefix'] for k in kinds if k['plural']}
    for row in read_json(os.path.join(recorded, 'storage_keys.json'))['resources']:
        key = (row['group'], row['version'], row['resource'])
        moved = row.get('storedAs', {})
        elsewhere = (moved.get('group'), moved.get('version')) not in {(None, None), key[:2]} and moved.get('group') != 'apiextensions.k8s.io'
        if key not in ours or row['group'] == 'resource.k8s.io':
            continue  # off by default
        check.expect(('storage', *key), ours[key], '' if elsewhere else row['key'].removesuffix('{name}'))
    return check.done()


def main():
    source = sys.argv[1]
    vectors = os.path.join(source, os.environ.get('ORRERY_VECTORS', '../shared/vectors'))
    facts, recorded = os.path.join(vectors, '..', 'facts'), os.path.join(vectors, 'apiserver', 'facts')
    if not os.path.isdir(os.path.join(facts, 'api')) or not os.path.isdir(recorded):
        print('no recorded facts; set ORRERY_VECTORS')
        return SKIP
    schema = os.path.join(source, 'engine', 'api', 'schema')
    types = collections.defaultdict(list)
    for row in rows(os.path.join(schema, 'fields.csv')):
        types[row['type']].append(row)
    for about in types.values():
        about.sort(key=lambda row: int(row['order']))
    kinds = rows(os.path.join(schema, 'kinds.csv'))
    results = [check_fields(types, facts), check_kinds(kinds, facts), check_merge_facts(types, recorded),
               check_proto(types, recorded), check_resources(kinds, recorded), check_storage(kinds, recorded)]
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
