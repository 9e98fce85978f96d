"""The path and query of an HTTP request line, in the form of the balancer's event."""


def parameters(query: str) -> dict[str, list[str]]:
    """The query parameters of the event: undecoded values by key, without empty pairs."""
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            key, _, value = pair.partition("=")
            parameters.setdefault(key, []).append(value)
    return parameters


def path_and_query(word: str) -> tuple[str, str]:
    """Path and query of the request target; a byte of invalid UTF-8 becomes a lone surrogate."""
    target = word.encode("latin-1").decode("utf-8", "surrogateescape")
    path, _, query = _without_host(target).partition("?")
    return path, query


def _without_host(target: str) -> str:
    """The target in origin form: some clients send `http://host/path`."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        host_end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        return rest[host_end:] or "/"
    return target
