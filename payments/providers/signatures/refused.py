"""Why a callback cannot be verified."""


class Refused(Exception):
    """It is malformed, not signed by a live secret, or too old.

    The text is for the operators' sample, not for the caller.
    """
