"""`matchboxctl certs`: creates, renews and checks the certificates of gRPC."""
