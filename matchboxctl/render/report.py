"""What `render` found, as text for an operator and as JSON for programs."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.http import Response
from matchboxctl.render.other_groups import OtherGroup, OtherGroups
from matchboxctl.render.secret_masks import MASK, Masks, names_a_secret

_INDENT = " " * 10


class Report(NamedTuple):
    """What was asked, chosen and answered.

    `left_out` are labels that count for nothing, such as a MAC address that is none; `data` is None where no template
    sees any; `reason` is empty where nothing is wrong; `butane` has the lines of Butane's report; `masks` is None where
    secrets are shown.
    """

    route: str
    labels: Mapping[str, str]
    left_out: Sequence[str]
    group: Group | None
    others: OtherGroups
    profile: Profile | None
    template: str
    data: Mapping[str, object] | None
    answer: Response
    reason: str
    butane: Sequence[str]
    masks: Masks | None

    def shown(self, text: str) -> str:
        """The text, secrets masked where they are to be."""
        return text if self.masks is None else self.masks.text(text)

    def shown_data(self, data: object) -> object:
        """The data, secrets masked where they are to be."""
        return data if self.masks is None else self.masks.data(data)

    def shown_pairs(self, pairs: Mapping[str, object]) -> str:
        """Labels or selectors as `key=value`."""
        return " ".join(f"{self.shown(key)}={self._shown_value(key, value)}" for key, value in pairs.items()) or "none"

    def _shown_value(self, key: str, value: object) -> str:
        if self.masks is not None and names_a_secret(key):
            return MASK
        return self.shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def as_text(report: Report) -> str:
    """Lines for an operator, and the answer's body after them."""
    lines = [_line("labels", report.shown_pairs(report.labels))]
    lines += [f"{_INDENT}left out: {report.shown(label)}" for label in report.left_out]
    lines += _group_lines(report)
    lines.append(_line("profile", _profile(report)))
    if report.template:
        lines.append(_line("template", report.template))
    if report.data is not None and report.group is not None:
        shown = json.dumps(report.shown_data(report.data), ensure_ascii=False, indent=2, sort_keys=True)
        lines.append(_line("data", shown.replace("\n", "\n" + _INDENT)))
    answer = report.answer
    kind = answer.headers.get("content-type", "none")
    lines.append(_line("answer", f"{answer.status}, {kind}, {len(answer.body):,} bytes"))
    if report.reason:
        lines.append(_line("reason", report.shown(report.reason)))
    lines += [_line("butane", report.shown(line)) for line in report.butane]
    return "\n".join([*lines, "", report.shown(_body(answer)).removesuffix("\n")])


def _body(answer: Response) -> str:
    return answer.body.decode("utf-8", "surrogateescape")


def _line(name: str, text: str) -> str:
    return f"{name:{len(_INDENT)}}{text}"


def _group_lines(report: Report) -> list[str]:
    group = report.group
    if group is None:
        lines = [_line("group", "none that matches")]
    else:
        lines = [_line("group", f"{report.shown(group.id)}, by {report.shown_pairs(group.selector)}")]
    lines += [f"{_INDENT}not {_other(report, other)}" for other in report.others.nearest]
    if report.others.left_out:
        lines.append(f"{_INDENT}and {report.others.left_out:,} further groups are not")
    return lines


def _other(report: Report, other: OtherGroup) -> str:
    name = report.shown(other.id)
    if not other.lacks:
        return f"{name}: it matches too, but {other.lost_by}"
    said = []
    for key, value in other.lacks.items():
        label = report.labels.get(key)
        machine = "has no such label" if label is None else f"says {report.shown_pairs({key: label}).partition('=')[2]}"
        said.append(f"{report.shown_pairs({key: value})} (the machine {machine})")
    return f"{name}: it wants {', '.join(said)}"


def _profile(report: Report) -> str:
    if report.profile is not None:
        return report.shown(report.profile.id)
    return "none" if report.group is None else f"{report.shown(report.group.profile)}, which is absent"


def json_of(report: Report) -> str:
    """One JSON object. A body that is not UTF-8 is `body_base64`; with masks it is then left out."""
    group = report.group
    answer = report.answer
    found: dict[str, object] = {
        "route": report.route,
        "labels": report.shown_data(dict(report.labels)),
        "labels_left_out": [report.shown(label) for label in report.left_out],
        "group": None
        if group is None
        else {"id": report.shown(group.id), "selector": report.shown_data(dict(group.selector))},
        "other_groups": [_other_document(report, other) for other in report.others.nearest],
        "other_groups_left_out": report.others.left_out,
        "profile": None if report.profile is None else report.shown_data(report.profile.document()),
        "template": report.template or None,
        "data": None if report.data is None else report.shown_data(report.data),
        "status": answer.status,
        "headers": dict(answer.headers),
        "reason": report.shown(report.reason) or None,
        "butane": [report.shown(line) for line in report.butane],
    }
    try:
        found["body"] = report.shown(answer.body.decode())
    except UnicodeDecodeError:
        if report.masks is None:
            found["body_base64"] = base64.b64encode(answer.body).decode()
    return json.dumps(found, indent=2)


def _other_document(report: Report, other: OtherGroup) -> dict[str, object]:
    document: dict[str, object] = {"id": report.shown(other.id), "lacks": report.shown_data(dict(other.lacks))}
    return document if other.lacks else {**document, "lost_by": other.lost_by}
