"""The limits of one rendering, counted in steps and sizes instead of time.

They keep a rendering below about two seconds and 256 MB on one core of a small machine.
"""

from lambda_matchbox.gotemplate.errors import FunctionError

# Real templates take some thousands of instructions.
MAX_INSTRUCTIONS = 300_000
MAX_CALLS = 50_000
MAX_OUTPUT = 8 * 1024 * 1024
MAX_TEXT = 2 * MAX_OUTPUT
MAX_ELEMENTS = 500_000
# A step takes about 0.1 microseconds.
_MAX_WORK = 20_000_000
# A step is one instruction of a regular expression over one byte.
_MAX_REGEX_WORK = 400_000_000


class Limits:
    """What is left of one rendering's limits. Each method raises `FunctionError` beyond its limit."""

    def __init__(self, text: int = MAX_TEXT) -> None:
        self.text = text
        self._max_text = text
        self._calls = MAX_CALLS
        self._elements = MAX_ELEMENTS
        self.work = _MAX_WORK
        self._regex_work = _MAX_REGEX_WORK

    def call(self) -> None:
        """Count a function call."""
        self._calls -= 1
        if self._calls < 0:
            raise FunctionError(f"more than {MAX_CALLS} calls of functions")

    def check_text(self, characters: int) -> None:
        """Check that a text of that length may be made."""
        if characters > self.text:
            raise self.too_much_text()

    def take_text(self, characters: int) -> None:
        """Count characters that a function takes or returns."""
        self.text -= characters
        if self.text < 0:
            raise self.too_much_text()

    def too_much_text(self) -> FunctionError:
        """The error for a text that is too long."""
        return FunctionError(f"more than {self._max_text} characters of text in functions")

    def check_elements(self, count: int) -> None:
        """Check that so many elements of a list or map may be made."""
        if count > self._elements:
            raise FunctionError(f"more than {MAX_ELEMENTS} elements of lists and maps")

    def take_elements(self, count: int) -> None:
        """Count elements of a list or map that a function makes."""
        self._elements -= count
        if self._elements < 0:
            raise FunctionError(f"more than {MAX_ELEMENTS} elements of lists and maps")

    def take_work(self, steps: int) -> None:
        """Count steps, one for each thing that a function looks at."""
        self.work -= steps
        if self.work < 0:
            raise FunctionError("functions take too many steps")

    def take_regex_work(self, steps: int) -> None:
        """Count the steps that a regular expression may take."""
        self._regex_work -= steps
        if self._regex_work < 0:
            raise FunctionError("regular expressions take too many steps")
