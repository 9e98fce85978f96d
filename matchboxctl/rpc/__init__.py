"""matchbox's gRPC API: what terraform-provider-matchbox and bootcmd speak."""

import os

# grpc reads this when it is imported. Its own log has lines, in another form, for each client that is refused.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
