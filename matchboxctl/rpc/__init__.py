"""matchbox's gRPC API, for terraform-provider-matchbox and bootcmd."""
