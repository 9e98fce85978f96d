"""The image's side: its layers, the files in them, and the kernels in those (OCI image specification)."""
