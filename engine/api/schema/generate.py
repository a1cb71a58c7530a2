#!/usr/bin/env python3
"""Makes the C++ structs and descriptor tables of engine/api from the CSV tables beside this file.

usage: generate.py --out DIR | generate.py --list-sources
"""
import argparse
import collections
import csv
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# Package of a type -> C++ namespace (and file name).
NAMESPACES = {
    'io.k8s.apimachinery.pkg.apis.meta.v1': 'metav1',
    'io.k8s.apimachinery.pkg.runtime': 'apiruntime',
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'apiextensionsv1',
    'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': 'apiregistrationv1',
    'io.k8s.apiserver.pkg.apis.apiserver.v1': 'apiserverv1',
    'io.k8s.apiserver.pkg.apis.audit.v1': 'auditv1',
    'io.k8s.kubelet.config.v1beta1': 'kubeletconfigv1beta1',
    'io.k8s.kube-scheduler.config.v1': 'schedulerconfigv1',
    'io.k8s.kube-proxy.config.v1alpha1': 'kubeproxyconfigv1alpha1',
    'io.k8s.metrics.pkg.apis.metrics.v1beta1': 'metricsv1beta1',
    'io.k8s.metrics.pkg.apis.custom_metrics.v1beta2': 'custommetricsv1beta2',
    'io.k8s.metrics.pkg.apis.external_metrics.v1beta1': 'externalmetricsv1beta1',
    'io.k8s.client-go.pkg.apis.clientauthentication.v1': 'clientauthv1',
    'io.k8s.client-go.tools.clientcmd.api.v1': 'clientcmdv1',
    'io.k8s.component-base.config.v1alpha1': 'componentconfigv1alpha1',
    'io.k8s.component-base.logs.api.v1': 'logsv1',
    'io.k8s.component-base.tracing.api.v1': 'tracingv1',
}
# Scalars: value type -> (FieldKind, C++ type).
SCALARS = {
    'string': ('kString', 'Str'),
    'bool': ('kBool', 'bool'),
    'int32': ('kInt32', 'int32_t'),
    'int64': ('kInt64', 'int64_t'),
    'float64': ('kFloat64', 'double'),
    'bytes': ('kBytes', 'api::Bytes'),
    'io.k8s.apimachinery.pkg.api.resource.Quantity': ('kQuantity', 'api::Quantity'),
    'io.k8s.apimachinery.pkg.apis.meta.v1.Time': ('kTime', 'api::Timestamp'),
    'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': ('kMicroTime', 'api::Timestamp'),
    'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': ('kDuration', 'api::ApiDuration'),
    'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ('kIntOrString', 'api::IntOrString'),
    'io.k8s.apimachinery.pkg.runtime.RawExtension': ('kRawJson', 'api::RawJson'),
    'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': ('kFieldsV1', 'api::RawJson'),
    'json': ('kRawJson', 'api::RawJson'),
}
DEFAULTS = {'bool': ' = false', 'int32_t': ' = 0', 'int64_t': ' = 0', 'double': ' = 0'}
KEYWORDS = set('''and auto bool break case catch char class const continue default delete do double
else enum explicit export extern false float for friend goto if inline int long mutable namespace
new not operator or private protected public register return short signed sizeof static struct
switch template this throw true try typedef union unsigned using virtual void volatile while
requires concept'''.split())
OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
# Types whose JSON is one of their fields: a schema, or a list of schemas, a flag, or names.
UNIONS = ('JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray')
# Value-form structs that are shared copy-on-write instead of embedded.
SHARED_FIELDS = {'spec', 'status', 'template'}


def namespace_of(type_name):
    package = type_name.rsplit('.', 1)[0]
    if package in NAMESPACES:
        return NAMESPACES[package]
    match = re.fullmatch(r'io\.k8s\.api\.(\w+)\.(\w+)', package)
    if not match:
        sys.exit(f'generate.py: no namespace for {type_name}')
    return match.group(1) + match.group(2)


def snake(name):
    # A plural acronym is one word: clusterIPs -> cluster_ips.
    name = re.sub(r'([A-Z]{2,})s(?=[A-Z]|$)', lambda m: m.group(1).capitalize() + 's', name)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name).lower()
    name = re.sub(r'[^a-z0-9_]', '_', name)
    return name + '_' if name in KEYWORDS else name


def cpp_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


class Field:
    """One row of fields.csv, resolved to C++."""

    def __init__(self, row, types):
        self.row = row
        value = row['valueType']
        self.form = row['form']
        self.inline = row['inline'] == '1'
        if value.startswith('[]') and value != '[]byte':
            value = value[2:]
        elif value.startswith('map[string]'):
            value = value[len('map[string]'):]
        if self.form == 'list' and value == 'bytes':  # []byte is a scalar of its own
            self.form = 'value'
        if value == '[]string':
            self.kind, element = 'kStringList', 'orrery::List<Str>'
        elif value in SCALARS:
            self.kind, element = SCALARS[value]
        elif value in types:
            self.kind, element = 'kStruct', cpp_type(value)
        else:
            sys.exit(f"generate.py: {row['type']}.{row['json']}: no rows for type {value}")
        self.struct = value if self.kind == 'kStruct' else None
        name = row['json'] or row['goName']
        self.name = snake(name)
        shared = self.struct == OBJECT_META or (self.struct and row['json'] in SHARED_FIELDS)
        if self.inline:
            self.cpp_form, self.cpp = 'kInline', element
        elif self.form == 'value':
            self.cpp_form, self.cpp = ('kValueRef', f'orrery::Ref<{element}>') if shared else ('kValue', element)
        elif self.form == 'pointer':
            self.cpp_form = 'kPointer'
            self.cpp = f'orrery::Ref<{element}>' if self.struct else f'orrery::Opt<{element}>'
        elif self.form == 'list':
            self.cpp_form, self.cpp = 'kList', f'orrery::List<{element}>'
        elif self.form == 'map':
            self.cpp_form, self.cpp = 'kMap', f'orrery::Map<{element}>'
        else:
            sys.exit(f"generate.py: {row['type']}.{row['json']}: form {self.form}")
        # Structs that must be complete before this one.
        self.needs = self.struct if self.struct and (self.inline or self.cpp_form == 'kValue') else None


def cpp_type(name):
    return f"{namespace_of(name)}::{name.rsplit('.', 1)[1]}"


class Schema:
    def __init__(self):
        rows = self.read('fields.csv')
        order = list(dict.fromkeys(row['type'] for row in rows))
        self.types = {name: [] for name in order}
        known = set(order) | self.empty_types(rows)
        for name in sorted(known - set(order)):
            self.types[name] = []
        for row in rows:
            self.types[row['type']].append(row)
        for name, type_rows in self.types.items():
            type_rows.sort(key=lambda row: int(row['order']))
            self.types[name] = [Field(row, self.types) for row in type_rows]
        self.kinds = sorted(self.read('kinds.csv'),
                            key=lambda k: (k['group'], k['version'], k['kind']))
        self.by_namespace = collections.defaultdict(list)
        for name in self.sorted_types():
            self.by_namespace[namespace_of(name)].append(name)

    @staticmethod
    def read(name):
        with open(os.path.join(HERE, name), newline='', encoding='utf-8') as handle:
            return list(csv.DictReader(handle))

    @staticmethod
    def empty_types(rows):
        """Types named by fields but without fields of their own."""
        named = set()
        for row in rows:
            value = re.sub(r'^(\[\]|map\[string\])', '', row['valueType'])
            if value.startswith('io.k8s.') and value not in SCALARS:
                named.add(value)
        return named

    def sorted_types(self):
        done, result = set(), []

        def visit(name, path):
            if name in done:
                return
            if name in path:
                sys.exit(f'generate.py: {name} contains itself by value')
            for field in self.types[name]:
                if field.needs:
                    visit(field.needs, path | {name})
            done.add(name)
            result.append(name)

        for name in sorted(self.types):
            visit(name, frozenset())
        return result

    def namespace_deps(self, namespace):
        deps = set()
        for name in self.by_namespace[namespace]:
            deps |= {namespace_of(f.needs) for f in self.types[name] if f.needs}
        return sorted(deps - {namespace})

    def forward(self, namespace):
        """Struct types of other namespaces that are only pointed to."""
        names = set()
        for name in self.by_namespace[namespace]:
            names |= {f.struct for f in self.types[name] if f.struct}
        return names


def header(schema, namespace):
    names = schema.by_namespace[namespace]
    out = ['// Made by engine/api/schema/generate.py; do not edit.', '#pragma once', '',
           '#include "engine/api/schema.h"']
    deps = set(schema.namespace_deps(namespace))
    deps |= {namespace_of(t) for t in schema.forward(namespace)}
    for dep in sorted(deps - {namespace}):
        out.append(f'#include "engine/api/gen/{dep}.h"')
    out += ['', f'namespace orrery::{namespace} {{', '']
    for name in names:
        out.append(f"struct {name.rsplit('.', 1)[1]};")
    out.append('')
    for name in names:
        short = name.rsplit('.', 1)[1]
        fields = schema.types[name]
        base = next((f for f in fields if f.inline), None)
        out.append(f'struct {short}' + (f' : {base.cpp}' if base else '') + ' {')
        for field in fields:
            if field is base:
                continue
            out.append(f"  {field.cpp} {field.name}{DEFAULTS.get(field.cpp, '')};")
        out += ['', f'  {short}();', f'  {short}(const {short}&);', f'  {short}({short}&&) noexcept;',
                f'  {short}& operator=(const {short}&);', f'  {short}& operator=({short}&&) noexcept;',
                f'  ~{short}();', '  static const api::TypeDesc& descriptor();', '};', '']
    out.append(f'}}  // namespace orrery::{namespace}')
    return '\n'.join(out) + '\n'


def field_row(field, struct, base):
    row = field.row
    offset = '0' if field is base else f'offsetof({struct}, {field.name})'
    type_ptr = f'&{cpp_type(field.struct).replace("::", "::k", 1)}Desc' if field.struct else 'nullptr'
    list_type = {'': 'kNone', 'atomic': 'kAtomic', 'set': 'kSet', 'map': 'kMap'}[row['listType']]
    bools = ['true' if v else 'false' for v in (
        row['omitempty'] == '1', row['required'] == '1', row['mapType'] == 'atomic',
        row['elementForm'] == 'pointer')]
    texts = [cpp_string(v) for v in (row['listMapKeys'], row['patchStrategy'], row['patchMergeKey'],
                                     row['default'], row['goName'], row['goType'])]
    return (f"    {{{cpp_string('' if field.inline else row['json'])}, {offset}, FieldKind::{field.kind}, "
            f"Form::{field.cpp_form}, {bools[0]}, {bools[1]}, {type_ptr}, {row['protobufNumber'] or 0}, "
            f"ListType::{list_type}, {bools[2]}, {bools[3]}, {', '.join(texts)}}},")


def desc_header(schema):
    out = ['// Made by engine/api/schema/generate.py; do not edit.', '#pragma once', '',
           '#include "engine/api/schema.h"', '']
    for namespace in sorted(schema.by_namespace):
        out.append(f'namespace orrery::{namespace} {{')
        for name in schema.by_namespace[namespace]:
            out.append(f"extern const api::TypeDesc k{name.rsplit('.', 1)[1]}Desc;")
        out.append('}')
    out.append('namespace orrery::api {')
    out.append('extern const KindDesc kKinds[];')
    out.append('}')
    return '\n'.join(out) + '\n'


def source(schema, namespace):
    out = ['// Made by engine/api/schema/generate.py; do not edit.', '#include <cstddef>', '#include <new>', '',
           f'#include "engine/api/gen/{namespace}.h"', '#include "engine/api/gen/descriptors.h"', '',
           f'namespace orrery::{namespace} {{', '',
           'using api::FieldDesc;', 'using api::FieldKind;', 'using api::Form;', 'using api::ListType;', '']
    kind_index = {k['type']: i for i, k in enumerate(schema.kinds)}
    for name in schema.by_namespace[namespace]:
        short = name.rsplit('.', 1)[1]
        fields = schema.types[name]
        base = next((f for f in fields if f.inline), None)
        out += [f'{short}::{short}() = default;', f'{short}::{short}(const {short}&) = default;',
                f'{short}::{short}({short}&&) noexcept = default;',
                f'{short}& {short}::operator=(const {short}&) = default;',
                f'{short}& {short}::operator=({short}&&) noexcept = default;',
                f'{short}::~{short}() = default;',
                f'const api::TypeDesc& {short}::descriptor() {{ return k{short}Desc; }}']
        if fields:
            out.append(f'static constexpr FieldDesc k{short}Fields[] = {{')
            out += [field_row(f, short, base) for f in fields]
            out.append('};')
        numbered = sorted((int(f.row['protobufNumber']), i) for i, f in enumerate(fields)
                          if f.row['protobufNumber'])
        if numbered:
            out.append(f"static constexpr uint16_t k{short}Proto[] = {{{', '.join(str(i) for _, i in numbered)}}};")
        meta = next((f for f in fields if f.struct == OBJECT_META and f.row['json'] == 'metadata'), None)
        offset = f'static_cast<int32_t>(offsetof({short}, {meta.name}))' if meta else '-1'
        union = 'true' if short in UNIONS else 'false'
        kind = f'&api::kKinds[{kind_index[name]}]' if name in kind_index else 'nullptr'
        package_version = name.split('.')[-2]
        out += [f'const api::TypeDesc k{short}Desc = {{',
                f'    {cpp_string(name)}, {cpp_string(package_version + "." + short)}, sizeof({short}),',
                f"    {'k' + short + 'Fields' if fields else '{}'}, {'k' + short + 'Proto' if numbered else '{}'}, {kind}, {offset}, {union},",
                f'    [](void* at) {{ new (at) {short}(); }},',
                f'    [](void* at, const void* from) {{ new (at) {short}(*static_cast<const {short}*>(from)); }},',
                f'    [](void* at) {{ static_cast<{short}*>(at)->~{short}(); }},',
                f'    []() -> const void* {{ return &orrery::Ref<{short}>::zero(); }}}};', '']
    out.append(f'}}  // namespace orrery::{namespace}')
    return '\n'.join(out) + '\n'


def registry(schema):
    out = ['// Made by engine/api/schema/generate.py; do not edit.', '#include <algorithm>', '#include <array>', '#include <iterator>', '',
           '#include "engine/api/gen/descriptors.h"', '', 'namespace orrery::api {', '',
           'const KindDesc kKinds[] = {']
    for i, k in enumerate(schema.kinds):
        api_version = f"{k['group']}/{k['version']}" if k['group'] else k['version']
        desc = '&' + cpp_type(k['type']).replace('::', '::k', 1) + 'Desc'
        texts = [cpp_string(k[c]) for c in ('shortNames', 'categories', 'verbs', 'subresources', 'storagePrefix')]
        out.append(f"    {{{i}, {cpp_string(k['group'])}, {cpp_string(k['version'])}, {cpp_string(k['kind'])}, "
                   f"{cpp_string(api_version)}, {desc}, {cpp_string(k['plural'])}, {cpp_string(k['singular'])}, "
                   f"{'true' if k['namespaced'] == '1' else 'false'}, {', '.join(texts)}}},")
    out += ['};', '', f'std::span<const KindDesc* const> all_kinds() {{',
            f'  static const auto kAll = [] {{',
            f'    std::array<const KindDesc*, {len(schema.kinds)}> all{{}};',
            f'    for (size_t i = 0; i < all.size(); ++i) all[i] = &kKinds[i];',
            '    return all;', '  }();', '  return kAll;', '}', '']
    types = sorted(schema.types)
    out.append(f'static const TypeDesc* const kTypes[] = {{')
    out += [f"    &{cpp_type(t).replace('::', '::k', 1)}Desc," for t in types]
    out += ['};', '', 'const TypeDesc* find_type(std::string_view name) {',
            '  const auto* end = kTypes + std::size(kTypes);',
            '  const auto* it = std::lower_bound(kTypes, end, name,',
            '      [](const TypeDesc* t, std::string_view n) { return t->name < n; });',
            '  return it != end && (*it)->name == name ? *it : nullptr;', '}', '',
            '}  // namespace orrery::api']
    return '\n'.join(out) + '\n'


def write_if_changed(path, text):
    if os.path.exists(path):
        with open(path, encoding='utf-8') as handle:
            if handle.read() == text:
                os.utime(path)
                return
    with open(path, 'w', encoding='utf-8') as handle:
        handle.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument('--out')
    group.add_argument('--list-sources', action='store_true')
    args = parser.parse_args()
    schema = Schema()
    if args.list_sources:
        print(' '.join([f'{n}.cc' for n in sorted(schema.by_namespace)] + ['registry.cc']))
        return
    os.makedirs(args.out, exist_ok=True)
    for namespace in schema.by_namespace:
        write_if_changed(os.path.join(args.out, namespace + '.h'), header(schema, namespace))
        write_if_changed(os.path.join(args.out, namespace + '.cc'), source(schema, namespace))
    write_if_changed(os.path.join(args.out, 'descriptors.h'), desc_header(schema))
    write_if_changed(os.path.join(args.out, 'registry.cc'), registry(schema))


if __name__ == '__main__':
    main()
