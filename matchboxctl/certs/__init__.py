"""`matchboxctl certs`: the certificates of gRPC, made, renewed and checked."""
