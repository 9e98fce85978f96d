"""The files below /assets/."""
