"""Imports into a table while machines boot."""

import threading
from collections import defaultdict
from collections.abc import Callable

from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.bulk.plan import Plan
from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import GROUP, PROFILE, TEMPLATE, template_name
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument, Template


class CatalogImport:
    """Carries out plans, in several threads."""

    def __init__(self, clients: StoreClients) -> None:
        self._clients = clients
        self._own = threading.local()

    def fill(self, plan: Plan, done: Callable[[int], object]) -> None:
        """Write everything that a plan adds to an empty table; see `bulk_load`."""
        bulk_load(self._clients, plan.added.values(), done)

    def carry_out(self, plan: Plan, done: Callable[[int], object]) -> dict[str, str]:
        """Write what is new or changed, then delete; `done` is given the number of further documents.

        Each document is written by itself, so that after an interruption a new plan continues from there. Returns a
        message, by their keys, for the documents that do not fit beside the table's contents. Raises what else
        CatalogWriter raises.
        """
        refused: dict[str, str] = {}

        def put(entry: tuple[str, CatalogDocument]) -> None:
            key, document = entry
            try:
                self._put(document)
            except UnwritableError as error:
                refused[key] = str(error)

        for documents in _in_turn(plan):
            for _ in in_parallel(put, documents):
                done(1)
        # Groups are deleted before what they lead to.
        groups = [key for key in plan.removed if key.startswith(GROUP)]
        for keys in (groups, sorted(set(plan.removed).difference(groups))):
            for _ in in_parallel(self._delete, keys):
                done(1)
        return refused

    def _writer(self) -> CatalogWriter:
        """The writer of this thread."""
        if not hasattr(self._own, "writer"):
            self._own.writer = CatalogWriter(self._clients)
        writer: CatalogWriter = self._own.writer
        return writer

    def _put(self, document: CatalogDocument) -> None:
        match document:
            case Group():
                self._writer().put_group(document)
            case Profile():
                self._writer().put_profile(document)
            case Template(kind, template_id, body):
                self._writer().put_template(kind, template_id, body)

    def _delete(self, key: str) -> None:
        if key.startswith(GROUP):
            self._writer().delete_group(key.removeprefix(GROUP))
        elif key.startswith(PROFILE):
            self._writer().delete_profile(key.removeprefix(PROFILE))
        elif key.startswith(TEMPLATE):
            self._writer().delete_template(*template_name(key))


def _in_turn(plan: Plan) -> list[list[tuple[str, CatalogDocument]]]:
    """The documents that may be written at the same time: groups after what they lead to, the most specific first.

    Until its own group exists a machine gets the same response as before, never that of a less specific group. So new
    groups are written before changed ones, which may release machines to them.
    """
    others: list[tuple[str, CatalogDocument]] = []
    groups: dict[tuple[int, bool], list[tuple[str, CatalogDocument]]] = defaultdict(list)
    for is_new, documents in ((True, plan.added), (False, plan.changed)):
        for key, document in documents.items():
            turn = groups[len(document.selector), is_new] if isinstance(document, Group) else others
            turn.append((key, document))
    return [others, *(groups[turn] for turn in sorted(groups, reverse=True))]
