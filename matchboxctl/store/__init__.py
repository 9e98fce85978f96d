"""Store mode: table and bucket as commands use them, `init` and `fsck`."""
