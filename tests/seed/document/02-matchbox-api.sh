#!/bin/bash
# tests/matchbox/02-matchbox-api.sh
test_matchbox_serves_assets() {
  # Test that matchbox HTTP API serves ARM64 assets
  curl -f http://10.20.13.140:8080/assets/talos/arm64/vmlinuz > /dev/null
  curl -f http://10.20.13.140:8080/assets/talos/arm64/initramfs.xz > /dev/null
}
test_matchbox_boot_profile() {
  # Test that matchbox returns correct boot profile
  PROFILE=$(curl -s http://10.20.13.140:8080/profiles/cozystack-arm64)
  echo "$PROFILE" | jq -e '.boot.kernel == "/assets/talos/arm64/vmlinuz"'
  echo "$PROFILE" | jq -e '.boot.initrd[0] == "/assets/talos/arm64/initramfs.xz"'
}
