"""Pictures of every page of the console, wide and narrow, light and dark: `make screenshots`."""

import sys
import tempfile
from contextlib import chdir
from io import BytesIO
from itertools import product
from pathlib import Path

from matchboxctl.console.navigation import NAVIGATION
from tests.rigs.chromium import chromium
from tests.support.console_fleet import STUCK, write_fleet
from tests.support.consoles import console

PAGES = {
    **{link.path.strip("/") or "machines": link.path for link in NAVIGATION},
    "machine": f"/machines/{STUCK}",
    "waiting": "/machines/52:54:00:aa:00:00",
    "search": "/?q=worker-0",
    "group": "/groups/workers",
    "profile": "/profiles/talos-worker",
    "template": "/templates/ignition/worker.yaml",
    "image": "/images/talos",
    "which": "/which?labels=arch%3Dx86_64%0Amac%3D52%3A54%3A00%3A12%3A34%3A00",
}
"""Paths by the names of their pictures."""

SIZES, SCHEMES = {1280: 900, 390: 844}, ("light", "dark")
DOCUMENTED = ("machines-1280-light", "machine-1280-dark", "health-1280-light", "machines-390-dark")
"""Of these docs/console.md shows what a screen does."""

_COLOURS, _ALIKE = 256, 12


def main(directory: Path, documented: Path) -> None:
    """Write whole pages to the directory, and the beginnings of those that are documented to the other one."""
    for each in (directory, documented):
        each.mkdir(parents=True, exist_ok=True)
    # The pages and their commands say where the data directory is.
    with (
        tempfile.TemporaryDirectory() as scratch,
        chdir(scratch),
        console(write_fleet(Path("fleet"))) as running,
        chromium() as opened,
    ):
        for (width, height), scheme in product(SIZES.items(), SCHEMES):
            context = opened.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{running.port}/?token={running.secret}")
            for page_name, path in PAGES.items():
                name = f"{page_name}-{width}-{scheme}"
                page.goto(f"http://127.0.0.1:{running.port}{path}")
                page.screenshot(path=directory / f"{name}.png", full_page=True)
                if name in DOCUMENTED:
                    (documented / f"console-{name}.png").write_bytes(_small(page.screenshot()))
            context.close()


def _small(png: bytes) -> bytes:
    """The picture with its most frequent colours, of those that are alike one."""
    # Of the browser's packages.
    from PIL import Image

    file = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB")
    every = sorted(picture.getcolors(picture.width * picture.height))
    unlike = {tuple(value // _ALIKE for value in colour): (count, colour) for count, colour in every}
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for _, colour in sorted(unlike.values(), reverse=True)[:_COLOURS] for value in colour])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main(*(Path(each).resolve() for each in sys.argv[1:]))
