"""The registry's side: what is asked, by whom, and what came (OCI distribution specification)."""
