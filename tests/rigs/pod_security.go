// Prints what of the standard `restricted` the pods of a Deployment break, which is JSON on standard input.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	var deployment appsv1.Deployment
	if err := json.NewDecoder(os.Stdin).Decode(&deployment); err != nil {
		panic(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err)
	}
	pod := deployment.Spec.Template
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			fmt.Println(result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}
