"""Container registries and images; independent of AWS and matchbox."""
