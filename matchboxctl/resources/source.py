"""Image sources as a resource of the command line."""

from collections.abc import Collection, Mapping, Sequence

from lambda_matchbox.documents.sources import parse_stand_in, source_document
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.oci.signatures.signers import KeySigner
from lambda_matchbox.releases.sources import Source, overlapping
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.tables import shown
from matchboxctl.documents.file_texts import source_text
from matchboxctl.documents.names import id_error
from matchboxctl.documents.protocol import Documents, Warn, ignore
from matchboxctl.resources.files import NamedFile, read_documents
from matchboxctl.resources.resource import Content, Description, Draft, Facts, in_order


class SourceResource:
    """`matchboxctl source` (see `matchboxctl.resources.resource.Resource`)."""

    word = "source"
    kind = "sources"
    columns = ("ID", "IMAGE", "PLATFORM", "ASSETS", "INTERVAL", "SIGNED BY")
    name_error = staticmethod(id_error)

    def rows(self, documents: Documents, warn: Warn) -> list[Sequence[str]]:
        """A row for each source."""
        return [
            (each.id, str(each.image), str(each.platform), each.assets, f"{each.interval}s", signer_text(each))
            for each in in_order(documents.sources(warn))
        ]

    def list_all(self, documents: Documents, warn: Warn) -> list[Mapping[str, object]]:
        """All sources."""
        return [source_document(source) for source in in_order(documents.sources(warn))]

    def describe(self, documents: Documents, name: str) -> Description | None:
        """The source, with the defaults of what its file leaves out."""
        source = documents.source(name)
        return None if source is None else Description(_facts(source), source_document(source))

    def get(self, documents: Documents, name: str) -> Content | None:
        """The source as `create` and `export` write it."""
        source = documents.source(name)
        return None if source is None else Content(source_text(source), source_document(source))

    def files(self, path: str, name: str | None) -> list[NamedFile]:  # noqa: ARG002 (the id is in the document)
        """The sources in the file or directory."""
        return read_documents(path)

    def draft(self, file: NamedFile) -> Draft:
        """The source in a document."""
        try:
            source = parse_stand_in(file.body)
        except DocumentError as error:
            raise FailedError(f"{file.shown}: {shown(str(error))}") from error
        return Draft(source.id, file.shown, source, lambda documents: documents.put_source(source), [], lambda _: [])

    def check(self, documents: Documents, drafts: Sequence[Draft]) -> None:
        """Raise FailedError for two sources that fill the same part of /assets/, of which only one would count."""
        given = [draft.document for draft in drafts if isinstance(draft.document, Source)]
        replaced = {source.id for source in given}
        others = [*given, *(each for each in documents.sources(ignore) if each.id not in replaced)]
        for source in given:
            if (other := overlapping(source, others)) is not None:
                why = f"assets: {source.assets!r} overlaps {other.assets!r} of the source {other.id!r}"
                raise FailedError(f"source {source.id}: {why}: nothing was written")

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the source."""
        return documents.delete_source(name)

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:  # noqa: ARG002
        """None: nothing refers to a source."""
        return {}


def _facts(source: Source) -> Facts:
    files = [f"{name}: {', '.join(paths)}" for name, paths in source.files.items()]
    return [
        ("ID", [source.id]),
        ("Image", [str(source.image)]),
        ("Platform", [str(source.platform)]),
        ("Assets", [source.assets]),
        ("Files", files or ["at the known paths"]),
        ("Interval", [f"{source.interval}s"]),
        ("Releases", [f"the newest {source.keep} are kept"]),
        (
            "Signed by",
            source.signer.pem.splitlines() if isinstance(source.signer, KeySigner) else [signer_text(source)],
        ),
    ]


def signer_text(source: Source) -> str:
    """Who signs the images; empty if nobody has to."""
    match source.signer:
        case None:
            return ""
        case KeySigner():
            return "a key"
        case signer:
            return f"{signer.identity} ({signer.issuer})"
