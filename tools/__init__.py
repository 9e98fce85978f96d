"""What the build and `make check` run: an interpreter's look-up, the template's translation, the artefacts' check."""
