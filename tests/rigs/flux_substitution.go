// Substitutes variables as Flux's kustomize-controller does: in a resource, for a Kustomization, from ConfigMaps of its
// namespace; all of them are JSON on standard input, as is the result on standard output.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/kustomize/api/provider"
)

type asked struct {
	Kustomization map[string]any
	ConfigMaps    []map[string]any
	Resource      map[string]any
}

func main() {
	var given asked
	must(json.NewDecoder(os.Stdin).Decode(&given))
	cluster := fake.NewClientBuilder()
	for _, each := range given.ConfigMaps {
		cluster.WithObjects(&unstructured.Unstructured{Object: each})
	}
	resource, err := provider.NewDefaultDepProvider().GetResourceFactory().FromMap(given.Resource)
	must(err)
	kustomization := unstructured.Unstructured{Object: given.Kustomization}
	substituted, err := kustomize.SubstituteVariables(context.Background(), cluster.Build(), kustomization, resource)
	must(err)
	made, err := substituted.MarshalJSON()
	must(err)
	os.Stdout.Write(made)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
