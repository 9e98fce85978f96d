"""Container registries and images: the protocol, the layers, the kernel images. Nothing here knows of AWS."""
