package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// follow sends what an informer tells as "add NAME", "update NAME", "delete NAME".
func follow(t *testing.T, informer cache.SharedIndexInformer) <-chan string {
	t.Helper()
	told := make(chan string, 100)
	tell := func(what string, object any) {
		if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = last.Obj
		}
		told <- what + " " + object.(metav1.Object).GetName()
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell("add", object) },
		UpdateFunc: func(_, object any) { tell("update", object) },
		DeleteFunc: func(object any) { tell("delete", object) },
	})
	must(t, err)
	return told
}

func TestInformers(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	ns := namespace(t, client)
	maps := client.CoreV1().ConfigMaps(ns)
	_, err := maps.Create(ctx, configMap("before"), metav1.CreateOptions{})
	must(t, err)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(ns))
	told := follow(t, factory.Core().V1().ConfigMaps().Informer())
	running, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(running.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		equal(t, kind.String(), synced, true)
	}
	equal(t, "first", take(t, ctx, told), "add before")
	made, err := maps.Create(ctx, configMap("after"), metav1.CreateOptions{})
	must(t, err)
	equal(t, "second", take(t, ctx, told), "add after")
	made.Data["a"] = "2"
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	must(t, err)
	equal(t, "third", take(t, ctx, told), "update after")
	cached, err := factory.Core().V1().ConfigMaps().Lister().ConfigMaps(ns).Get("after")
	must(t, err)
	equal(t, "cached", cached.Data["a"], "2")
	must(t, maps.Delete(ctx, "before", metav1.DeleteOptions{}))
	equal(t, "fourth", take(t, ctx, told), "delete before")
}

func TestDynamicClientAndInformer(t *testing.T) {
	ctx, client := deadline(t), typed(t, jsonType)
	ns := namespace(t, client)
	dynamicClient, err := dynamic.NewForConfig(config(t))
	must(t, err)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, ns, nil)
	told := follow(t, factory.ForResource(configMaps).Informer())
	running, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(running.Done())
	factory.WaitForCacheSync(ctx.Done())
	maps := dynamicClient.Resource(configMaps).Namespace(ns)
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"generateName": "c-"}, "data": map[string]any{"a": "1"}}}
	made, err := maps.Create(ctx, object, metav1.CreateOptions{})
	must(t, err)
	equal(t, "told", take(t, ctx, told), "add "+made.GetName())
	object.SetGenerateName("")
	object.SetName(made.GetName())
	must(t, unstructured.SetNestedField(object.Object, "2", "data", "a"))
	applied, err := maps.Apply(ctx, made.GetName(), object, metav1.ApplyOptions{FieldManager: "dynamic", Force: true})
	must(t, err)
	value, _, _ := unstructured.NestedString(applied.Object, "data", "a")
	equal(t, "applied", value, "2")
	must(t, maps.Delete(ctx, made.GetName(), metav1.DeleteOptions{}))
}

func TestMetadataClient(t *testing.T) {
	ctx, client := deadline(t), typed(t, jsonType)
	ns := namespace(t, client)
	_, err := client.CoreV1().ConfigMaps(ns).Create(ctx, configMap("c"), metav1.CreateOptions{})
	must(t, err)
	metadataClient, err := metadata.NewForConfig(config(t))
	must(t, err)
	list, err := metadataClient.Resource(configMaps).Namespace(ns).List(ctx, metav1.ListOptions{})
	must(t, err)
	equal(t, "items", len(list.Items), 1)
	equal(t, "label", list.Items[0].Labels["made"], "here")
}

func TestDiscovery(t *testing.T) {
	client, err := discovery.NewDiscoveryClientForConfig(config(t))
	must(t, err)
	version, err := client.ServerVersion()
	must(t, err)
	equal(t, "version", version.Major+"."+version.Minor, "1.32")
	for name, legacy := range map[string]bool{"aggregated": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			client.UseLegacyDiscovery = legacy
			groups, lists, err := client.ServerGroupsAndResources()
			must(t, err)
			equal(t, "first group is the core one", groups[0].Name, "")
			found := map[string]bool{}
			for _, list := range lists {
				for _, resource := range list.APIResources {
					found[list.GroupVersion+"/"+resource.Name] = true
				}
			}
			for _, want := range []string{"v1/pods", "v1/pods/binding", "v1/serviceaccounts/token", "apps/v1/deployments/scale", "batch/v1/cronjobs"} {
				equal(t, want, found[want], true)
			}
		})
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "StatefulSet"})
	must(t, err)
	equal(t, "resource", mapping.Resource.String(), "apps/v1, Resource=statefulsets")
}

func TestDiscoveryInProtobuf(t *testing.T) {
	spoken := config(t)
	spoken.ContentType = protobufType
	client, err := discovery.NewDiscoveryClientForConfig(spoken)
	must(t, err)
	client.UseLegacyDiscovery = true
	plain, err := discovery.NewDiscoveryClientForConfig(config(t))
	must(t, err)
	plain.UseLegacyDiscovery = true
	groups, lists, err := client.ServerGroupsAndResources()
	must(t, err)
	wantedGroups, wantedLists, err := plain.ServerGroupsAndResources()
	must(t, err)
	equal(t, "groups", fmt.Sprint(groups), fmt.Sprint(wantedGroups))
	equal(t, "lists", fmt.Sprint(len(lists)), fmt.Sprint(len(wantedLists)))
	for i, list := range lists {
		equal(t, list.GroupVersion, fmt.Sprint(list.APIResources), fmt.Sprint(wantedLists[i].APIResources))
	}
	for _, path := range []string{"/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1"} {
		var written string
		result := client.RESTClient().Get().AbsPath(path).Do(deadline(t)).ContentType(&written)
		must(t, result.Error())
		equal(t, path, written, protobufType)
	}
	result := client.RESTClient().Get().AbsPath("/apis/apps/v9").Do(deadline(t))
	equal(t, "a version that is not there", errors.IsNotFound(result.Error()), true)
}

func TestAggregatedDiscoveryInProtobuf(t *testing.T) {
	client, err := discovery.NewDiscoveryClientForConfig(config(t))
	must(t, err)
	in := func(mediaType string) []byte {
		accept := mediaType + ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
		body, err := client.RESTClient().Get().AbsPath("/apis").SetHeader("Accept", accept).Do(deadline(t)).Raw()
		must(t, err)
		return body
	}
	var envelope runtime.Unknown
	must(t, envelope.Unmarshal(in(protobufType)[4:]))
	equal(t, "kind", envelope.Kind, "APIGroupDiscoveryList")
	var read, wanted apidiscovery.APIGroupDiscoveryList
	must(t, read.Unmarshal(envelope.Raw))
	must(t, json.Unmarshal(in(jsonType), &wanted))
	equal(t, "items", fmt.Sprint(read.Items), fmt.Sprint(wanted.Items))
	bytes, err := read.Marshal()
	must(t, err)
	equal(t, "as Go writes it", string(bytes), string(envelope.Raw))
}

// elect runs a candidate until its context ends and tells who leads.
func elect(ctx context.Context, t *testing.T, ns, name string, leads chan<- string) {
	t.Helper()
	lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "leader", Namespace: ns}, Client: typed(t, protobufType).CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name}}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, ReleaseOnCancel: true, Name: name,
		LeaseDuration: 6 * time.Second, RenewDeadline: 4 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { leads <- name }, OnStoppedLeading: func() {}}})
	must(t, err)
	go elector.Run(ctx)
}

func TestLeaderElectionHandsOver(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	ns := namespace(t, client)
	leads := make(chan string, 10)
	first, resign := context.WithCancel(ctx)
	elect(first, t, ns, "first", leads)
	equal(t, "leader", take(t, ctx, leads), "first")
	elect(ctx, t, ns, "second", leads)
	resign()
	equal(t, "leader", take(t, ctx, leads), "second")
	lease, err := client.CoordinationV1().Leases(ns).Get(ctx, "leader", metav1.GetOptions{})
	must(t, err)
	equal(t, "holder", *lease.Spec.HolderIdentity, "second")
}

func TestManyWatchersSeeTheSameOrder(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	maps := client.CoreV1().ConfigMaps(namespace(t, client))
	list, err := maps.List(ctx, metav1.ListOptions{})
	must(t, err)
	const watchers, writers, each = 5, 4, 25
	for writer := range writers {
		go func() {
			for i := range each {
				_, _ = maps.Create(ctx, configMap(fmt.Sprintf("c-%d-%d", writer, i)), metav1.CreateOptions{})
			}
		}()
	}
	var orders [watchers]string
	for i := range watchers {
		watcher, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
		must(t, err)
		for range writers * each {
			event := take(t, ctx, watcher.ResultChan())
			orders[i] += string(event.Type) + event.Object.(*corev1.ConfigMap).Name + " "
		}
		watcher.Stop()
		equal(t, "order", orders[i], orders[0])
	}
}
