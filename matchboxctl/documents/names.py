"""Validation of the ids of groups and profiles, and of the names of templates."""


def id_error(name: str) -> str:
    """Why no group or profile can have this id; empty for a valid one. An empty id merely does not exist."""
    if "/" in name or "\0" in name or name in (".", ".."):
        return f"invalid id {name!r}: '/', NUL, '.' and '..' are not allowed"
    return ""


def template_name_error(name: str) -> str:
    """Why no template, which may lie in directories, can have this name; empty for a valid one."""
    if name and ("\0" in name or any(part in ("", ".", "..") for part in name.split("/"))):
        return f"invalid template name {name!r}: NUL, empty parts, '.' and '..' are not allowed"
    return ""
