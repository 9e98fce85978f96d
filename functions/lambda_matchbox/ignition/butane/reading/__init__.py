"""From the YAML of a Butane config to its structs."""
