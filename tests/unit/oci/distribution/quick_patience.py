"""How long a client asks a registry that fails as a test tells it to: not for long."""

from lambda_matchbox.oci.distribution.patience import Patience

QUICK = Patience(attempts=3, first_pause=0.001, longest_pause=0.01)
