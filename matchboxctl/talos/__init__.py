"""`matchboxctl talos`: clusters of Talos, from what `talosctl gen config` writes."""
