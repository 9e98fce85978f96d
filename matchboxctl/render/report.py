"""The report of `render`, as text and as JSON."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.http import Response
from lambda_matchbox.secrets.function import PLACEHOLDER
from matchboxctl.render.body_masks import masked_body
from matchboxctl.render.other_groups import OtherGroup, OtherGroups, reason
from matchboxctl.render.secret_masks import MASK, Masks, names_a_secret

_INDENT = " " * 10
# Some templates decode it.
_PLACEHOLDERS = Masks({"secret": [PLACEHOLDER, base64.b64decode(PLACEHOLDER).decode()]})


class Report(NamedTuple):
    """A request's labels, what was selected for it, and the response.

    `ignored_labels` are those that are invalid, such as a malformed MAC address; `data` is None for routes that do not
    show it; `reason` is empty unless the response is an error; `verdict` is that of the gate and its reason, None
    for a group without a boot policy: the response is that without one; `masks` is None if secrets are shown. `secrets`
    are the names of those that the template was given placeholders for, which are always masked.
    """

    route: str
    labels: Mapping[str, str]
    ignored_labels: Sequence[str]
    group: Group | None
    others: OtherGroups
    profile: Profile | None
    template: str
    data: Mapping[str, object] | None
    response: Response
    reason: str
    verdict: tuple[str, str] | None
    secrets: Sequence[str]
    masks: Masks | None

    def masked(self, text: str) -> str:
        """The text with its secrets masked, unless they are shown."""
        text = _PLACEHOLDERS.text(text) if self.secrets else text
        return text if self.masks is None else self.masks.text(text)

    def masked_body(self, body: str) -> str:
        """The body with its secrets masked, also those that stand in the template itself, unless they are shown."""
        return self.masked(body if self.masks is None else masked_body(body))

    def masked_data(self, data: object) -> object:
        """The data with its secrets masked, unless they are shown."""
        return data if self.masks is None else self.masks.data(data)

    def masked_pairs(self, pairs: Mapping[str, object]) -> str:
        """Labels or selectors as `key=value`."""
        shown = (f"{self.masked(key)}={self.masked_value(key, value)}" for key, value in pairs.items())
        return " ".join(shown) or "none"

    def masked_value(self, key: str, value: object) -> str:
        """A label's or a selector's value."""
        if self.masks is not None and names_a_secret(key):
            return MASK
        return self.masked(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def as_text(report: Report) -> str:
    """Lines for an operator, followed by the response's body."""
    lines = [_line("labels", report.masked_pairs(report.labels))]
    lines += [f"{_INDENT}ignored: {report.masked(label)}" for label in report.ignored_labels]
    lines += _group_lines(report)
    lines.append(_line("profile", _profile(report)))
    if report.template:
        lines.append(_line("template", report.template))
    if report.data is not None and report.group is not None:
        shown = json.dumps(report.masked_data(report.data), ensure_ascii=False, indent=2, sort_keys=True)
        lines.append(_line("data", shown.replace("\n", "\n" + _INDENT)))
    if report.verdict is not None:
        lines.append(_line("verdict", _verdict(report)))
    response = report.response
    kind = response.headers.get("content-type", "none")
    without = ", without the boot policy" if report.verdict is not None and report.verdict[0] != "allow" else ""
    lines.append(_line("response", f"{response.status}, {kind}, {len(response.body):,} bytes{without}"))
    if report.secrets:
        lines.append(
            _line("secrets", f"{', '.join(report.secrets)}: not read, tried with placeholders, shown as {MASK}")
        )
    if report.reason:
        lines.append(_line("reason", report.masked(report.reason)))
    lines += [_line("butane", report.masked(line)) for line in report.response.report]
    return "\n".join([*lines, "", report.masked_body(_body(response)).removesuffix("\n")])


def _verdict(report: Report) -> str:
    kind, reason = report.verdict or ("", "")
    group = report.group
    if kind != "allow":
        return f"{kind}: {report.masked(reason)}"
    if group is None or group.boot is None or not group.boot.token:
        return kind
    in_script = "allow; its script sets token and base before this"
    return "allow, against the token of its boot" if report.data is not None else in_script


def _body(response: Response) -> str:
    return response.body.decode("utf-8", "surrogateescape")


def _line(name: str, text: str) -> str:
    return f"{name:{len(_INDENT)}}{text}"


def _group_lines(report: Report) -> list[str]:
    group = report.group
    if group is None:
        lines = [_line("group", "none matches")]
    else:
        why = f"by {report.masked_pairs(group.selector)}" if group.selector else "which has no selector"
        lines = [_line("group", f"{report.masked(group.id)}, {why}")]
    return lines + [f"{_INDENT}{line}" for line in why_not(report)]


def why_not(report: Report) -> list[str]:
    """A line for each of the other groups that are shown, and one for the rest."""
    lines = [f"not {_other(report, other)}" for other in report.others.nearest]
    return [*lines, *filter(None, [report.others.rest])]


def _other(report: Report, other: OtherGroup) -> str:
    return f"{report.masked(other.id)}: {reason(other, report.labels, report.masked_pairs, report.masked_value)}"


def _profile(report: Report) -> str:
    if report.profile is not None:
        return report.masked(report.profile.id)
    return "none" if report.group is None else f"{report.masked(report.group.profile)}, which is absent"


def document(report: Report) -> Mapping[str, object]:
    """The report for programs. A body that is not UTF-8 is `body_base64`; with masks it is then left out."""
    group = report.group
    response = report.response
    found: dict[str, object] = {
        "route": report.route,
        "labels": report.masked_data(dict(report.labels)),
        "labels_left_out": [report.masked(label) for label in report.ignored_labels],
        "group": None
        if group is None
        else {"id": report.masked(group.id), "selector": report.masked_data(dict(group.selector))},
        "other_groups": [_other_document(report, other) for other in report.others.nearest],
        "other_groups_left_out": report.others.left_out,
        "other_groups_complete": report.others.is_all,
        "profile": None if report.profile is None else report.masked_data(_shown_profile(report, report.profile)),
        "template": report.template or None,
        "data": None if report.data is None else report.masked_data(report.data),
        "verdict": None if report.verdict is None else {"verdict": report.verdict[0], "reason": report.verdict[1]},
        "secrets": list(report.secrets),
        "status": response.status,
        "headers": dict(response.headers),
        "reason": report.masked(report.reason) or None,
        "butane": [report.masked(line) for line in report.response.report],
    }
    try:
        found["body"] = report.masked_body(response.body.decode())
    except UnicodeDecodeError:
        if report.masks is None:
            found["body_base64"] = base64.b64encode(response.body).decode()
    return found


def _shown_profile(report: Report, profile: Profile) -> Mapping[str, object]:
    if report.masks is None or profile.boot is None:
        return profile.document()
    args = tuple(map(masked_body, profile.boot.args))
    return profile._replace(boot=profile.boot._replace(args=args)).document()


def _other_document(report: Report, other: OtherGroup) -> dict[str, object]:
    document: dict[str, object] = {"id": report.masked(other.id), "lacks": report.masked_data(dict(other.lacks))}
    return document if other.lacks else {**document, "lost_by": other.lost_by}
