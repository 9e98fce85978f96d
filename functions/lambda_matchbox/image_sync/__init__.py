"""One sync of one image source, and the job that syncs all that are due."""
