#include "tests/bench/pod_sample.h"

namespace orrery::bench {
namespace {

// '@' stands for the index.
constexpr const char* kPod = R"json({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-5d8f7c9b6d-@","generateName":"web-5d8f7c9b6d-","namespace":"shop","uid":"0b6f1c1e-5a54-4c7e-9b51-00000000@","resourceVersion":"18@","creationTimestamp":"2025-03-04T05:06:07Z","labels":{"app":"web","pod-template-hash":"5d8f7c9b6d","tier":"frontend"},"annotations":{"prometheus.io/port":"8080","prometheus.io/scrape":"true"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d8f7c9b6d","uid":"7c1c0f62-6d4b-4a3a-8a6e-2f1f6d3c9b10","controller":true,"blockOwnerDeletion":true}],"managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2025-03-04T05:06:07Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"7c1c0f62-6d4b-4a3a-8a6e-2f1f6d3c9b10\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{}}},"f:restartPolicy":{}}}}]},"spec":{"volumes":[{"name":"config","configMap":{"name":"web-config","defaultMode":420}},{"name":"kube-api-access-x7k2p","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}],"containers":[{"name":"web","image":"registry.example.com/shop/web:1.42.0","args":["--listen=:8080","--backend=http://cart.shop.svc"],"ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],"env":[{"name":"POD_NAME","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},{"name":"LOG_LEVEL","value":"info"}],"resources":{"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"250m","memory":"256Mi"}},"volumeMounts":[{"name":"config","mountPath":"/etc/web"},{"name":"kube-api-access-x7k2p","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"livenessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"},{"name":"sidecar","image":"registry.example.com/mesh/proxy:2.7","resources":{"requests":{"cpu":"50m","memory":"64Mi"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","nodeName":"node-@","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{"phase":"Running","conditions":[{"type":"PodReadyToStartContainers","status":"True","lastProbeTime":null,"lastTransitionTime":"2025-03-04T05:06:10Z"},{"type":"Initialized","status":"True","lastProbeTime":null,"lastTransitionTime":"2025-03-04T05:06:08Z"},{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2025-03-04T05:06:12Z"},{"type":"ContainersReady","status":"True","lastProbeTime":null,"lastTransitionTime":"2025-03-04T05:06:12Z"},{"type":"PodScheduled","status":"True","lastProbeTime":null,"lastTransitionTime":"2025-03-04T05:06:08Z"}],"hostIP":"192.168.0.7","hostIPs":[{"ip":"192.168.0.7"}],"podIP":"10.244.3.@","podIPs":[{"ip":"10.244.3.@"}],"startTime":"2025-03-04T05:06:08Z","containerStatuses":[{"name":"web","state":{"running":{"startedAt":"2025-03-04T05:06:11Z"}},"lastState":{},"ready":true,"restartCount":0,"image":"registry.example.com/shop/web:1.42.0","imageID":"registry.example.com/shop/web@sha256:1f0c7b6c9d2f5e3a8b4d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3","containerID":"containerd://8e1d9c0a7b6f5e4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a291807","started":true},{"name":"sidecar","state":{"running":{"startedAt":"2025-03-04T05:06:11Z"}},"lastState":{},"ready":true,"restartCount":0,"image":"registry.example.com/mesh/proxy:2.7","imageID":"","containerID":"containerd://0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2918078e1d9c0a7b6f5e4d3c2b1a","started":true}],"qosClass":"Burstable"}})json";

}  // namespace

std::string pod_json(int index) {
  const std::string number = std::to_string(1000 + index);
  std::string out;
  for (const char* p = kPod; *p; ++p) {
    // The digest of an image is introduced by '@' too.
    const bool digest = *p == '@' && p[1] == 's';
    out += *p == '@' && !digest ? number : std::string(1, *p);
  }
  return out;
}

std::string pod_list_json(int count) {
  std::string out = R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[)";
  for (int i = 0; i < count; ++i) out += (i ? "," : "") + pod_json(i);
  return out + "]}";
}

}  // namespace orrery::bench
