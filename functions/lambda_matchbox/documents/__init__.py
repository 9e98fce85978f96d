"""Groups, profiles and image sources as operators write them: JSON files."""
