#!/usr/bin/env python3
"""Writes a .proto of PodList and all it holds from engine/api/schema/fields.csv: protobuf's own
generated code for it is the baseline of the protobuf codec. usage: make_proto.py FIELDS_CSV OUT"""
import collections
import csv
import re
import sys

ROOT = 'io.k8s.api.core.v1.PodList'
SCALARS = {'string': 'string', 'bool': 'bool', 'int32': 'int32', 'int64': 'int64', 'float64': 'double', 'bytes': 'bytes'}
# Types whose messages are not in the table. Source: Kubernetes v1.32 generated.proto.
SPECIAL = {
    'Quantity': 'optional string string = 1;',
    'Time': 'optional int64 seconds = 1; optional int32 nanos = 2;',
    'MicroTime': 'optional int64 seconds = 1; optional int32 nanos = 2;',
    'Duration': 'optional int64 duration = 1;',
    'IntOrString': 'optional int64 type = 1; optional int32 int_val = 2; optional string str_val = 3;',
    'RawExtension': 'optional bytes raw = 1;',
    'FieldsV1': 'optional bytes raw = 1;',
}
# Most of the generated code would be volume plugins that no pod of the benchmark has.
VOLUMES = {'configMap', 'emptyDir', 'hostPath', 'persistentVolumeClaim', 'projected', 'secret'}


def main():
    rows = collections.defaultdict(list)
    with open(sys.argv[1], newline='', encoding='utf-8') as handle:
        for row in csv.DictReader(handle):
            rows[row['type']].append(row)
    out = ['syntax = "proto2";', 'package baseline;', 'option optimize_for = SPEED;']
    out += [f'message {name} {{ {body} }}' for name, body in SPECIAL.items()]
    done, todo = set(), [ROOT]
    while todo:
        name = todo.pop()
        short = name.rsplit('.', 1)[1]
        if name in done or short in SPECIAL:
            continue
        done.add(name)
        out.append(f'message {short} {{')
        for row in rows.get(name, []):
            if not row['protobufNumber'] or (short == 'VolumeSource' and row['json'] not in VOLUMES):
                continue
            value = row['valueType']
            bare = re.sub(r'^(\[\]|map\[string\])', '', value)
            kind = SCALARS.get(bare) or bare.rsplit('.', 1)[1]
            if bare not in SCALARS:
                todo.append(bare)
            field = re.sub(r'[^a-z0-9]', '_', (row['json'] or row['goName']).lower()) + '_f'
            label = f'map<string, {kind}>' if value.startswith('map') else (
                f'repeated {kind}' if value.startswith('[]') else f'optional {kind}')
            out.append(f"  {label} {field} = {row['protobufNumber']};")
        out.append('}')
    with open(sys.argv[2], 'w', encoding='utf-8') as handle:
        handle.write('\n'.join(out) + '\n')


if __name__ == '__main__':
    main()
