"""From Butane's short forms to the Ignition config that they stand for."""
