"""Kubernetes' own conformance tests against `orrery serve` or `orrery up`: those that need no real container.

usage: conformance.py PATH_OF_orrery PATH_OF_e2e.test [--world serve|up] [--files NAME ...] [FLAGS OF e2e.test ...]

e2e.test comes from a Go module of one's own that requires k8s.io/kubernetes v1.32.13 (its k8s.io modules replaced by
their v0.32.13, k8s.io/sample-apiserver by v0.32.5) and imports k8s.io/kubernetes/test/e2e:

  go test -c -o e2e.test k8s.io/kubernetes/test/e2e

It takes ten minutes to build and half an hour to run, so CI does not. kubectl of that version has to be in PATH. Prints
what failed, and exits with 1 if anything did. In the default world three simulated nodes run the pods.
"""
import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

# Sources of test/e2e whose tests look at objects only. EXCEPT: those that want an answer of a container, or, in a
# simulated cluster, an address of its API server.
FILES = {
    'serve': '''
        apimachinery/aggregated_discovery apimachinery/crd_ apimachinery/custom_resource_definition apimachinery/discovery
        apimachinery/field_validation apimachinery/flowcontrol apimachinery/garbage_collector apimachinery/namespace
        apimachinery/resource_quota apimachinery/server_version apimachinery/table_conversion
        apimachinery/validatingadmissionpolicy apimachinery/watch apps/controller_revision apps/daemon_set apps/deployment
        apps/disruption apps/rc.go apps/replica_set auth/certificates auth/subjectreviews common/node/configmap
        common/node/lease common/node/podtemplates common/node/runtimeclass common/node/secrets instrumentation
        network/endpointslice network/endpointslicemirroring network/ingress network/ingressclass scheduling/limit_range
        storage/csi_node storage/csistoragecapacity storage/persistent_volumes storage/storageclass
        storage/volume_attachment''',
    'up': '''
        apimachinery/aggregated_discovery apimachinery/chunking apimachinery/crd_publish apimachinery/crd_watch
        apimachinery/custom_resource_definition apimachinery/discovery apimachinery/field_validation
        apimachinery/flowcontrol apimachinery/resource_quota apimachinery/server_version apimachinery/table_conversion
        apimachinery/validatingadmissionpolicy apimachinery/watch auth/certificates auth/subjectreviews''',
}
EXCEPT = '|'.join(['serve a basic image on each replica', 'be consumable', 'CustomResourceConversionWebhook',
                   'CustomResourceFieldSelectors', 'pointing to API Server'])
SCENARIO = '''
name: conformance
start: "%s"
horizon: 1000h
cluster: {nodes: [{group: {name: node, count: 3, cpu: 8, memory: 32Gi}}]}
kubelet: {pull: 0.5, start: 0.5, stop: 1}
controllers: {events: true}
'''


def write(path, text):
    with open(path, 'w') as out:
        out.write(text)
    return path


def start(options, folder):
    """The process, and the path of its kubeconfig."""
    if options.world == 'up':
        state = os.path.join(folder, 'state')
        command = ['up', '--control-plane-only', '--data-dir', state, '--secure-port', '0', '--bind-address', '127.0.0.1',
                   '--etcd-compaction-interval', '20s']
    else:
        now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        command = ['serve', write(os.path.join(folder, 'scenario.yaml'), SCENARIO % now), '--speed', '1']
    process = subprocess.Popen([options.binary, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = json.loads(process.stdout.readline())['url']
    if options.world == 'up':
        return process, os.path.join(state, 'admin.conf')
    config = {'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'c', 'clusters': [{'name': 'c', 'cluster': {'server': url}}],
              'contexts': [{'name': 'c', 'context': {'cluster': 'c', 'user': 'u'}}], 'users': [{'name': 'u', 'user': {}}]}
    return process, write(os.path.join(folder, 'kubeconfig'), json.dumps(config))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('binary')
    parser.add_argument('tests')
    parser.add_argument('--world', choices=sorted(FILES), default='serve')
    parser.add_argument('--files', nargs='*')
    options, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        process, kubeconfig = start(options, folder)
        try:
            command = [os.path.abspath(options.tests), '-kubeconfig', kubeconfig, '-provider', 'skeleton', '-num-nodes', '3',
                       '-allowed-not-ready-nodes=-1', '-ginkgo.focus', r'\[Conformance\]', '-ginkgo.skip', EXCEPT, '-ginkgo.no-color',
                       '-ginkgo.timeout', '3h']
            for name in options.files or FILES[options.world].split():
                command += ['-ginkgo.focus-file', name]
            run = subprocess.run(command + flags, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env=dict(os.environ, KUBECONFIG=kubeconfig))
        finally:
            process.terminate()
            process.wait()
    write('conformance.log', run.stdout)
    failed = sorted(set(re.findall(r'^ *\[FAIL\] .*', run.stdout, re.M)))
    print('\n'.join(failed + re.findall(r'^Ran .*|^(?:FAIL|SUCCESS)! .*', run.stdout, re.M) + ['the log is in conformance.log']))
    sys.exit(run.returncode)


if __name__ == '__main__':
    main()
