"""All commands of `matchboxctl`, as its help lists them."""

from matchboxctl.cli.commands import Line

SECTIONS = {
    "Boot machines": [
        Line("serve", "answer boot requests over HTTP", "matchboxctl.serve.arguments:serve"),
        Line("validate", "find what would keep machines from booting", "matchboxctl.validate.arguments:validate"),
        Line("render", "show the response to a machine, and why", "matchboxctl.render.arguments:render"),
        Line(
            "check",
            "follow the boot of a machine from a running matchbox",
            "matchboxctl.check.arguments:check",
        ),
        Line("dhcp", "print the configuration of a DHCP server", "matchboxctl.dhcp.arguments:dhcp"),
        Line("ipxe", "put iPXE where firmware loads it", "matchboxctl.ipxe.arguments:ipxe"),
        Line(
            "migrate",
            "copy what a matchbox serves, and compare its responses",
            "matchboxctl.migrate.arguments:migrate",
        ),
    ],
    "Groups, profiles and templates": [
        Line("group", "list, show, create and delete groups", "matchboxctl.resources.arguments:group"),
        Line("profile", "list, show, create and delete profiles", "matchboxctl.resources.arguments:profile"),
        Line(
            "ignition", "list, show, create and delete Ignition templates", "matchboxctl.resources.arguments:ignition"
        ),
        Line("cloud", "list, show, create and delete cloud-config templates", "matchboxctl.resources.arguments:cloud"),
        Line("generic", "list, show, create and delete generic templates", "matchboxctl.resources.arguments:generic"),
    ],
    "Secrets": [
        Line("secret", "set, list, describe and delete secrets of templates", "matchboxctl.secrets.arguments:secret"),
    ],
    "Machines": [
        Line(
            "machine",
            "list, approve, arm, hold and describe machines",
            "matchboxctl.machines.history_arguments:machine",
        ),
        Line("console", "serve a page that shows what machines do, and why", "matchboxctl.console.arguments:console"),
    ],
    "Talos": [
        Line("talos", "import, verify and try clusters of Talos", "matchboxctl.talos.arguments:talos"),
    ],
    "Boot images": [
        Line("source", "list, show, create and delete image sources", "matchboxctl.resources.arguments:source"),
        Line("sync", "publish the newest images of image sources", "matchboxctl.releases.arguments:sync"),
        Line("releases", "show the releases of an image source", "matchboxctl.releases.arguments:releases"),
        Line(
            "rollback",
            "serve an older release of an image source, and hold it",
            "matchboxctl.releases.arguments:rollback",
        ),
        Line(
            "follow",
            "let syncs update an image source again after a rollback",
            "matchboxctl.releases.arguments:follow",
        ),
        Line(
            "withdraw",
            "stop serving the releases of a removed image source",
            "matchboxctl.releases.arguments:withdraw",
        ),
        Line(
            "fetch",
            "fetch kernel, initramfs and rootfs of Flatcar or Fedora CoreOS",
            "matchboxctl.fetch.arguments:fetch",
        ),
    ],
    "Table and bucket": [
        Line("init", "create table and bucket", "matchboxctl.store.arguments:init"),
        Line(
            "import", "copy a matchbox data directory into table and bucket", "matchboxctl.transfer.arguments:import_"
        ),
        Line("export", "copy table and bucket into a matchbox data directory", "matchboxctl.transfer.arguments:export"),
        Line("fsck", "check table and bucket", "matchboxctl.store.arguments:fsck"),
        Line("cost", "show what the stack costs in a month", "matchboxctl.cost.arguments:cost"),
        Line("plan", "simulate a boot storm of the stack", "matchboxctl.plan.arguments:plan"),
    ],
    "gRPC": [
        Line("rpc", "let Terraform and bootcmd edit table and bucket over gRPC", "matchboxctl.rpc.arguments:rpc"),
        Line("certs", "create or check the certificates of gRPC", "matchboxctl.certs.arguments:certs"),
    ],
    "Shell": [
        Line(
            "examples",
            "list the examples, or write one into a new directory",
            "matchboxctl.examples.arguments:examples",
        ),
        Line("help", "show the help of a command", "matchboxctl.cli.help:help_"),
        Line("completion", "set up completion in a shell", "matchboxctl.completion.arguments:completion"),
        Line("man", "install the manual page of all commands", "matchboxctl.man.arguments:man"),
    ],
}
