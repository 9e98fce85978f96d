"""Real services in place of AWS on 127.0.0.1, and proxies that make them fail: one program a module.

The first use of a rig installs its program below `$XDG_CACHE_HOME/lambda-matchbox/rigs`; later uses only start it.
"""
