// Pushes a directory as `flux push artifact` does: to an address, with a version among its annotations.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/oci"
)

func main() {
	address, directory, version := os.Args[1], os.Args[2], os.Args[3]
	metadata := oci.Metadata{
		Source:      "https://github.com/team/boot",
		Revision:    "main@sha1:8ca5db4ac2a2b9bc6b4bd3a94e9f4cd5b1ea8dd0",
		Annotations: map[string]string{"org.opencontainers.image.version": version},
	}
	client := oci.NewClient(oci.DefaultOptions())
	pushed, err := client.Push(context.Background(), address, directory, oci.WithPushMetadata(metadata))
	if err != nil {
		panic(err)
	}
	fmt.Println(pushed)
}
