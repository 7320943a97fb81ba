"""Why a callback cannot be verified."""


class Refused(Exception):
    """It is malformed, not signed by a live secret, or too old.

    The text is for operators, not for the caller.
    """
