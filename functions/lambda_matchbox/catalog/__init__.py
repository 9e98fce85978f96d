"""Groups, profiles and templates, and which of them a machine gets."""
