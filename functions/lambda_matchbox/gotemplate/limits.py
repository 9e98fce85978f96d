"""What one rendering of a template may use, counted in steps and sizes, never in time: the domain has no clock.

The numbers keep a rendering under some two seconds and some 256 MB on one core of a small machine.
"""

from lambda_matchbox.gotemplate.errors import FunctionError

# The instructions of a template that is meant are some thousands.
MAX_INSTRUCTIONS = 300_000
MAX_CALLS = 50_000
MAX_OUTPUT = 8 * 1024 * 1024
MAX_TEXT = 2 * MAX_OUTPUT
MAX_ELEMENTS = 500_000
# One step is about a tenth of a microsecond.
_MAX_WORK = 20_000_000
# One instruction of a regular expression over one byte.
_MAX_REGEX_WORK = 400_000_000


class Limits:
    """What is left of the bounds of one rendering. Each method raises `FunctionError` where that does not do."""

    def __init__(self, text: int = MAX_TEXT) -> None:
        self.text = text
        self._most_text = text
        self._calls = MAX_CALLS
        self._elements = MAX_ELEMENTS
        self.work = _MAX_WORK
        self._regex_work = _MAX_REGEX_WORK

    def call(self) -> None:
        """One more function is called."""
        self._calls -= 1
        if self._calls < 0:
            raise FunctionError(f"more than {MAX_CALLS} calls of functions")

    def check_text(self, characters: int) -> None:
        """So many characters are about to be made, and will be taken once they are."""
        if characters > self.text:
            raise self.too_much_text()

    def take_text(self, characters: int) -> None:
        """A function takes or makes so many characters."""
        self.text -= characters
        if self.text < 0:
            raise self.too_much_text()

    def too_much_text(self) -> FunctionError:
        """What to raise where there is no room for a text."""
        return FunctionError(f"more than {self._most_text} characters of text in functions")

    def check_elements(self, count: int) -> None:
        """So many elements of a list or a map are about to be made, and will be taken once they are."""
        if count > self._elements:
            raise FunctionError(f"more than {MAX_ELEMENTS} elements of lists and maps")

    def take_elements(self, count: int) -> None:
        """A function makes so many elements of a list or a map."""
        self._elements -= count
        if self._elements < 0:
            raise FunctionError(f"more than {MAX_ELEMENTS} elements of lists and maps")

    def take_work(self, steps: int) -> None:
        """A function looks at so many things."""
        self.work -= steps
        if self.work < 0:
            raise FunctionError("functions look at too many things: it takes too long")

    def take_regex_work(self, steps: int) -> None:
        """A regular expression may take so many steps, of one of its instructions over one byte each."""
        self._regex_work -= steps
        if self._regex_work < 0:
            raise FunctionError("regular expressions over too much text: it takes too long")
