"""Files from the layers of an image, and the parts of unified kernel images (OCI image specification)."""
