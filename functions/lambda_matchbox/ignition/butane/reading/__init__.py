"""The YAML of a Butane config, read into its structs."""
