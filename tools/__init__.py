"""What the build and `make check` run: interpreter look-up, template translation, artefact sizes."""
