#!/bin/bash
# /opt/bastion-setup/extract-talos-assets.sh
set -e
# Pull the latest custom Talos image
echo "Pulling custom Talos ARM64 image from GHCR..."
docker pull ghcr.io/urmanac/talos-cozystack-demo:demo-stable
# Extract boot assets to matchbox
echo "Extracting ARM64 boot assets..."
mkdir -p /opt/matchbox/assets/talos/arm64
docker run --rm \
  -v /opt/matchbox/assets:/output \
  ghcr.io/urmanac/talos-cozystack-demo:demo-stable \
  /output/talos/arm64/
# Verify assets extracted correctly
echo "Verifying ARM64 assets..."
ls -la /opt/matchbox/assets/talos/arm64/
sha256sum -c /opt/matchbox/assets/talos/arm64/*.sha256
# Set appropriate permissions
chown -R matchbox:matchbox /opt/matchbox/assets/
chmod -R 644 /opt/matchbox/assets/talos/arm64/*
echo "✅ Custom ARM64 Talos assets ready for netboot"
