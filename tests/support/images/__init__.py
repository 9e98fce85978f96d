"""Container images made by the tests: `layers` makes layers, `manifests` images of them."""
