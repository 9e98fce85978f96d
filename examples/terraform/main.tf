terraform {
  required_providers {
    matchbox = {
      source  = "poseidon/matchbox"
      version = "~> 0.5"
    }
  }
}

provider "matchbox" {
  endpoint    = "127.0.0.1:8081"
  ca          = file("ca.crt")
  client_cert = file("client.crt")
  client_key  = file("client.key")
}

locals {
  # MAC addresses in lower case with colons: the server returns them so.
  workers = {
    worker-1 = "52:54:00:00:00:01"
    worker-2 = "52:54:00:00:00:02"
  }
}

resource "matchbox_profile" "worker" {
  name   = "flatcar-worker"
  kernel = "/assets/flatcar/flatcar_production_pxe.vmlinuz"
  initrd = ["/assets/flatcar/flatcar_production_pxe_image.cpio.gz"]
  args = [
    "initrd=flatcar_production_pxe_image.cpio.gz",
    "flatcar.first_boot=1",
    "ignition.config.url=$${cwduri}ignition?mac=$${mac:hexhyp}",
  ]
  raw_ignition   = file("worker.ign")
  generic_config = file("worker.env")
}

resource "matchbox_group" "worker" {
  for_each = local.workers

  name    = each.key
  profile = matchbox_profile.worker.name
  selector = {
    mac = each.value
  }
  metadata = {
    hostname = each.key
  }
}
