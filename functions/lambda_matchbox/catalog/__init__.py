"""Groups, profiles and templates, and the selection of a machine's group."""
