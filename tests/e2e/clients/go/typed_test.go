package clients

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/retry"
)

const (
	jsonType     = "application/json"
	protobufType = "application/vnd.kubernetes.protobuf"
)

func TestObjectsLiveInEveryEncoding(t *testing.T) {
	for name, contentType := range map[string]string{"json": jsonType, "protobuf": protobufType} {
		t.Run(name, func(t *testing.T) {
			ctx, client := deadline(t), typed(t, contentType)
			maps := client.CoreV1().ConfigMaps(namespace(t, client))
			watcher, err := maps.Watch(ctx, metav1.ListOptions{})
			must(t, err)
			defer watcher.Stop()
			made, err := maps.Create(ctx, configMap("c"), metav1.CreateOptions{})
			must(t, err)
			stale := made.DeepCopy()
			made.Data["a"] = "2"
			_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
			must(t, err)
			_, err = maps.Update(ctx, stale, metav1.UpdateOptions{})
			equal(t, "a stale update is a conflict", errors.IsConflict(err), true)
			patched, err := maps.Patch(ctx, "c", types.StrategicMergePatchType, []byte(`{"data": {"b": "3"}}`), metav1.PatchOptions{})
			must(t, err)
			equal(t, "data", fmt.Sprint(patched.Data), "map[a:2 b:3]")
			must(t, maps.Delete(ctx, "c", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(made.UID))}))
			_, err = maps.Get(ctx, "c", metav1.GetOptions{})
			equal(t, "what is deleted is not found", errors.IsNotFound(err), true)
			for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Modified, watch.Deleted} {
				event := take(t, ctx, watcher.ResultChan())
				equal(t, "event", event.Type, want)
				equal(t, "object", event.Object.(*corev1.ConfigMap).Name, "c")
			}
		})
	}
}

func TestErrorsAreTyped(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	maps := client.CoreV1().ConfigMaps(namespace(t, client))
	_, err := maps.Create(ctx, configMap("c"), metav1.CreateOptions{})
	must(t, err)
	_, err = maps.Create(ctx, configMap("c"), metav1.CreateOptions{})
	equal(t, "already exists", errors.IsAlreadyExists(err), true)
	_, err = maps.Create(ctx, configMap("No Name"), metav1.CreateOptions{})
	equal(t, "invalid", errors.IsInvalid(err), true)
	equal(t, "field", errors.HasStatusCause(err, metav1.CauseTypeFieldValueInvalid), true)
	_, err = client.CoreV1().ConfigMaps("nowhere").Create(ctx, configMap("c"), metav1.CreateOptions{})
	equal(t, "not found", errors.IsNotFound(err), true)
	_, err = maps.List(ctx, metav1.ListOptions{ResourceVersion: "999999999", ResourceVersionMatch: metav1.ResourceVersionMatchExact, Limit: 1})
	equal(t, "a version of the future is refused", err != nil, true)
}

func TestListsComeInPages(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	maps := client.CoreV1().ConfigMaps(namespace(t, client))
	for i := range 25 {
		_, err := maps.Create(ctx, configMap(fmt.Sprintf("c%02d", i)), metav1.CreateOptions{})
		must(t, err)
	}
	var names []string
	options := metav1.ListOptions{Limit: 10, LabelSelector: "made=here"}
	for pages := 1; ; pages++ {
		page, err := maps.List(ctx, options)
		must(t, err)
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		if options.Continue = page.Continue; options.Continue == "" {
			equal(t, "pages", pages, 3)
			break
		}
	}
	equal(t, "items", len(names), 25)
	equal(t, "last", names[24], "c24")
	must(t, maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "made=here"}))
	left, err := maps.List(ctx, metav1.ListOptions{})
	must(t, err)
	equal(t, "left", len(left.Items), 0)
}

func TestSubresources(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	ns := namespace(t, client)
	deployments := client.AppsV1().Deployments(ns)
	replicas, labels := int32(2), map[string]string{"app": "web"}
	_, err := deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "web-", Name: "web"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "x"}}}}}}, metav1.CreateOptions{})
	must(t, err)
	scale, err := deployments.GetScale(ctx, "web", metav1.GetOptions{})
	must(t, err)
	equal(t, "selector", scale.Status.Selector, "app=web")
	_, err = deployments.UpdateScale(ctx, "web", &autoscalingv1.Scale{ObjectMeta: scale.ObjectMeta, Spec: autoscalingv1.ScaleSpec{Replicas: 5}}, metav1.UpdateOptions{})
	must(t, err)
	must(t, retry.RetryOnConflict(retry.DefaultRetry, func() error {
		deployment, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		deployment.Status.ReadyReplicas, deployment.Status.Replicas = 3, 3
		deployment.Spec.Replicas = &replicas
		_, err = deployments.UpdateStatus(ctx, deployment, metav1.UpdateOptions{})
		return err
	}))
	deployment, err := deployments.Get(ctx, "web", metav1.GetOptions{})
	must(t, err)
	equal(t, "spec is not the status's", *deployment.Spec.Replicas, 5)
	equal(t, "ready", deployment.Status.ReadyReplicas, 3)
}

func TestServerSideApply(t *testing.T) {
	ctx, client := deadline(t), typed(t, protobufType)
	ns := namespace(t, client)
	maps := client.CoreV1().ConfigMaps(ns)
	wanted := func(value string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("c", ns).WithData(map[string]string{"shared": value})
	}
	_, err := maps.Apply(ctx, wanted("1"), metav1.ApplyOptions{FieldManager: "one"})
	must(t, err)
	_, err = maps.Apply(ctx, wanted("2"), metav1.ApplyOptions{FieldManager: "two"})
	equal(t, "conflict", errors.IsConflict(err), true)
	equal(t, "cause", errors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict), true)
	_, err = maps.Apply(ctx, wanted("2").WithLabels(map[string]string{"l": "two"}), metav1.ApplyOptions{FieldManager: "two", Force: true})
	must(t, err)
	// What was applied can be extracted, changed and applied again; what is left out is removed.
	live, err := maps.Get(ctx, "c", metav1.GetOptions{})
	must(t, err)
	mine, err := applycorev1.ExtractConfigMap(live, "two")
	must(t, err)
	equal(t, "extracted", fmt.Sprint(mine.Data, mine.Labels), "map[shared:2] map[l:two]")
	mine.Labels = nil
	live, err = maps.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "two"})
	must(t, err)
	equal(t, "after", fmt.Sprint(live.Data, live.Labels), "map[shared:2] map[]")
}
