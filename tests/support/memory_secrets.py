"""Secrets in memory."""

from collections.abc import Collection, Mapping

from lambda_matchbox.errors import MatchboxError


class MemorySecrets:
    """A store of secrets that records what it is asked for; it fails with `failure` if there is one."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.held = dict(values)
        self.calls: list[list[str]] = []
        self.failure: MatchboxError | None = None

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these secrets, without those that do not exist."""
        self.calls.append(sorted(names))
        if self.failure is not None:
            raise self.failure
        return {name: self.held[name] for name in names if name in self.held}
