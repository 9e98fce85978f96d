#!/bin/bash
# tests/matchbox/03-netboot-e2e.sh
test_talos_node_netboots() {
  # Launch new t4g.small instance, wait for netboot
  # This requires actual AWS integration
  echo "Manual test: Launch t4g.small instance, verify netboot"
  echo "Expected: Node appears in 'talosctl get members' within 5 minutes"
}
