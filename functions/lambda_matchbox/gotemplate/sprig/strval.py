"""A value as the text that Sprig's functions make of it."""

from lambda_matchbox.golang.print import sprint
from lambda_matchbox.gotemplate.functions import printed
from lambda_matchbox.gotemplate.limits import Allowance

_ELEMENT_WORK = 3


def text_of_any(allowance: Allowance, value: object) -> str:
    """A string as it is, anything else as `%v` prints it. Raises FunctionError where it is too long."""
    if isinstance(value, str):
        return value
    return printed(allowance, sprint, (value,))


def texts_of_any(allowance: Allowance, value: object) -> list[str]:
    """The elements of a list as texts without the nil ones; what is no list as the only text, nil as none."""
    if isinstance(value, list):
        allowance.take_work(_ELEMENT_WORK * len(value))
        texts = []
        for one in value:
            if one is not None:
                texts.append(text_of_any(allowance, one))
                if not isinstance(one, str):
                    allowance.take_text(len(texts[-1]))
        return texts
    return [] if value is None else [text_of_any(allowance, value)]
