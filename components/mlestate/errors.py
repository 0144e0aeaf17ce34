"""The one base class of everything that is the user's to mend: a clear sentence, exit code 2, never a traceback."""

__all__ = ["InputError"]


class InputError(Exception):
    """What was given cannot be used; the message says what is wrong, what is allowed and how to mend it."""
