package clients

import (
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/discovery"
	utilproto "k8s.io/kube-openapi/pkg/util/proto"
)

// The document of OpenAPI v2 as clients read it, and what their library makes of the one in JSON.
func TestOpenAPISchema(t *testing.T) {
	client, err := discovery.NewDiscoveryClientForConfig(config(t))
	must(t, err)
	document, err := client.OpenAPISchema()
	must(t, err)
	models, err := utilproto.NewOpenAPIData(document)
	must(t, err)
	deployment, is := models.LookupModel("io.k8s.api.apps.v1.Deployment").(*utilproto.Kind)
	equal(t, "a deployment is an object", is, true)
	spec := deployment.Fields["spec"].(utilproto.Reference).SubSchema().(*utilproto.Kind)
	equal(t, "required", spec.IsRequired("selector"), true)
	json, err := client.RESTClient().Get().AbsPath("/openapi/v2").SetHeader("Accept", "application/json").Do(deadline(t)).Raw()
	must(t, err)
	parsed, err := openapi_v2.ParseDocument(json)
	must(t, err)
	equal(t, "both are the same", proto.Equal(document, parsed), true)
}
