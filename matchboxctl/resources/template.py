"""Templates (Ignition, cloud-config, generic) as a resource of the command line."""

import base64
from collections.abc import Collection, Mapping, Sequence

from lambda_matchbox.catalog.selection import sort_key
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import FailedError
from matchboxctl.documents.names import template_name_error
from matchboxctl.documents.protocol import Documents, TemplateSize, Warn, ignore
from matchboxctl.resources.files import NamedFile, read_templates
from matchboxctl.resources.resource import Content, Description, Draft, check_each, in_order


class TemplateResource:
    """`matchboxctl ignition`, `cloud` or `generic` (see `matchboxctl.resources.resource.Resource`)."""

    columns = ("NAME", "SIZE")
    name_error = staticmethod(template_name_error)
    check = staticmethod(check_each)

    def __init__(self, kind: str) -> None:
        self.word = self.kind = kind

    def rows(self, documents: Documents, warn: Warn) -> list[Sequence[str]]:
        """A row for each template."""
        return [(one.name, f"{one.size}") for one in self._all(documents, warn)]

    def list_all(self, documents: Documents, warn: Warn) -> list[Mapping[str, object]]:
        """Names and sizes of all templates."""
        return [{"name": one.name, "size": one.size} for one in self._all(documents, warn)]

    def describe(self, documents: Documents, name: str) -> Description | None:
        """The template's size, and the profiles that refer to it."""
        body = documents.template(self.kind, name)
        if body is None:
            return None
        profiles = self._profiles(documents, [name], ignore).get(name, [])
        facts = [("Name", [name]), ("Size", [f"{len(body)} bytes"]), ("Profiles", profiles)]
        return Description(facts, {"name": name, "size": len(body), "profiles": profiles})

    def get(self, documents: Documents, name: str) -> Content | None:
        """The template's bytes; for programs as `config`, or as `config_base64` if they are not UTF-8."""
        body = documents.template(self.kind, name)
        if body is None:
            return None
        document: dict[str, object] = {"name": name, "size": len(body)}
        try:
            document["config"] = body.decode()
        except UnicodeDecodeError:
            document["config_base64"] = base64.b64encode(body).decode()
        return Content(body, document)

    def files(self, path: str, name: str | None) -> list[NamedFile]:
        """The file, or the files below the directory."""
        return read_templates(path, name)

    def draft(self, file: NamedFile) -> Draft:
        """The file's bytes, under its name."""
        name = file.name
        if why := template_name_error(name) or ("" if name else "a template needs a name"):
            raise FailedError(f"{file.shown}: {why}: use --name")
        template = Template(self.kind, name, file.body)
        return Draft(
            name,
            file.shown,
            template,
            lambda documents: documents.put_template(*template),
            _notes(template),
            lambda _: [],
        )

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the template."""
        return documents.delete_template(self.kind, name)

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:
        """The profiles that refer to the templates."""
        found = self._profiles(documents, names, warn)
        return {name: [f"profile {each}" for each in ids] for name, ids in found.items()}

    def _profiles(self, documents: Documents, names: Collection[str], warn: Warn) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for profile in in_order(documents.profiles(warn, metadata=False)):
            if (name := getattr(profile, f"{self.kind}_id")) in names:
                found.setdefault(name, []).append(profile.id)
        return found

    def _all(self, documents: Documents, warn: Warn) -> list[TemplateSize]:
        return sorted(documents.templates(self.kind, warn), key=lambda one: sort_key(one.name))


def _notes(template: Template) -> list[str]:
    """Errors that all machines would get, whatever their data."""
    # Imported here: only `create` needs Ignition and templates.
    from lambda_matchbox.answers.template_check import check_syntax

    try:
        check_syntax(template)
    except MatchboxError as error:
        return [f"machines get an error: {error}"]
    return []
