"""`matchboxctl fetch`: kernel, initramfs and rootfs of Flatcar and Fedora CoreOS from the projects' own servers."""
