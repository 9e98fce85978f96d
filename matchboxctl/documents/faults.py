"""What a document's file or name refuses."""

from lambda_matchbox.errors import MatchboxError


class FileError(MatchboxError):
    """A file that cannot be read, written or removed, in the words of Go's operating system."""


def id_fault(name: str) -> str:
    """Why no group and no profile can have this id; nothing where one can. An empty one is merely absent."""
    if "/" in name or "\0" in name or name in (".", ".."):
        return f"{name!r} is no id: it may hold no '/' and no NUL, nor be '..'"
    return ""


def name_fault(name: str) -> str:
    """Why no template, which may lie in directories, can have this name; nothing where one can."""
    if name and ("\0" in name or any(part in ("", ".", "..") for part in name.split("/"))):
        return f"{name!r} is no template's name: it may hold no NUL, no empty part and no '..'"
    return ""
