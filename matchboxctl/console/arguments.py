"""`matchboxctl console`."""

import os
from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import MODES, boolean, flag, store_flags
from matchboxctl.store.advice import chosen_with_advice

PASSWORD = "MATCHBOX_CONSOLE_PASSWORD"  # noqa: S105 (a variable's name)


@click.command(
    cls=Command,
    epilog=f"{PASSWORD} is the password, where no file has it. {MODES}",
    examples=["matchboxctl console --data-path DIR", "matchboxctl console --stack matchbox --read-only"],
)
@flag("--address", "HOST:PORT", "where to listen", "127.0.0.1:8090", envvar="MATCHBOX_CONSOLE_ADDRESS")
@store_flags()
@click.option("--read-only", is_flag=True, help="show everything, and change nothing")
@flag(
    "--host-names",
    "NAMES",
    "answer requests for these host names too, separated by commas; addresses and localhost are always answered",
    shown="none",
    envvar="MATCHBOX_CONSOLE_HOST_NAMES",
)
@flag(
    "--password-file",
    "FILE",
    "the password that opens the console, in place of the address that it prints",
    shown="none",
    envvar=f"{PASSWORD}_FILE",
)
@flag("--web-ssl", "BOOL", "serve https in place of http", "false", type=boolean, is_flag=False, flag_value="true")
@flag(
    "--web-cert-file",
    "FILE",
    "certificate of https, with those between it and its authority, in PEM",
    "/etc/matchbox/ssl/server.crt",
    type=Path,
)
@flag("--web-key-file", "FILE", "its key, in PEM without a passphrase", "/etc/matchbox/ssl/server.key", type=Path)
@click.option("--end-with-input", is_flag=True, hidden=True)
def console(
    *,
    address: str,
    data_path: str,
    stack: str,
    read_only: bool,
    host_names: str,
    password_file: str,
    web_ssl: bool,
    web_cert_file: Path,
    web_key_file: Path,
    end_with_input: bool,
) -> None:
    """Serve a page that shows what machines do, and why, and on which operators approve, arm and hold them.

    It prints the address that opens it. Another address than one of loopback needs --web-ssl and a password.
    """
    from matchboxctl.cli.arguments import parse_address
    from matchboxctl.console.command import password_in, run
    from matchboxctl.console.settings import ConsoleSettings
    from matchboxctl.serve.certificate import CertificateFiles

    with chosen_with_advice(data_path, stack) as store:
        run(
            ConsoleSettings(
                parse_address("--address", address),
                store,
                read_only,
                frozenset(name.strip().lower() for name in host_names.split(",") if name.strip()),
                CertificateFiles(web_cert_file, web_key_file) if web_ssl else None,
                password_in(password_file) if password_file else os.environ.get(PASSWORD, ""),
                end_with_input,
            )
        )
