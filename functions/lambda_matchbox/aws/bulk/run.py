"""How does a table come to hold what a plan says, while machines ask?"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.bulk.plan import Plan
from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.layout import GROUP, PROFILE, TEMPLATE, template_name
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument, Template


class CatalogImport:
    """Writes plans, in several threads."""

    def __init__(self, clients: StoreClients) -> None:
        self._clients = clients
        self._own = threading.local()

    def fill(self, plan: Plan, done: Callable[[int], object]) -> None:
        """Write all that a plan adds to an empty table; see `bulk_load`."""
        bulk_load(self._clients, plan.added.values(), done)

    def carry_out(self, plan: Plan, done: Callable[[int], object]) -> dict[str, str]:
        """Write what is new or differs, then remove what is to go; `done` is told how many more are written.

        Each document is written for itself, so that an interruption leaves whole ones, and the same plan made again
        goes on from there. Returns by their keys the documents that no item could hold beside what the table has, each
        with the reason in one line. Raises what else CatalogWriter raises.
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
        # Groups go before what they lead to.
        groups = [key for key in plan.removed if key.startswith(GROUP)]
        for keys in (groups, sorted(set(plan.removed).difference(groups))):
            for _ in in_parallel(self._delete, keys):
                done(1)
        return refused

    def _writer(self) -> CatalogWriter:
        """The writer of this thread: one is not for several."""
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


def _in_turn(plan: Plan) -> Iterator[list[tuple[str, CatalogDocument]]]:
    """What may be written at the same time: groups after what they lead to, the most specific first.

    A machine whose own group is not there yet is told what it was told before, never what is meant for less specific
    ones. So groups that are new come before those that change, which may give machines up to them.
    """
    others: list[tuple[str, CatalogDocument]] = []
    groups: dict[tuple[int, bool], list[tuple[str, CatalogDocument]]] = defaultdict(list)
    for is_new, documents in ((True, plan.added), (False, plan.changed)):
        for key, document in documents.items():
            turn = groups[len(document.selector), is_new] if isinstance(document, Group) else others
            turn.append((key, document))
    return iter([others, *(groups[turn] for turn in sorted(groups, reverse=True))])
