#!/bin/bash
# tests/matchbox/01-asset-extraction.sh
test_ghcr_image_pullable() {
  docker pull ghcr.io/urmanac/talos-cozystack-demo:demo-stable
}
test_assets_extract_correctly() {
  mkdir -p /tmp/test-assets
  docker run --rm -v /tmp/test-assets:/output \
    ghcr.io/urmanac/talos-cozystack-demo:demo-stable \
    /output/talos/arm64/
  test -f /tmp/test-assets/talos/arm64/vmlinuz
  test -f /tmp/test-assets/talos/arm64/initramfs.xz
  sha256sum -c /tmp/test-assets/talos/arm64/*.sha256
}
