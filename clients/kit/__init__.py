"""The conformance kit: proves over HTTP, as a black box, that a wallet keeps the contract.

Standard library only, Python 3.11 or newer; `make kit` packs it into one file.
"""

VERSION = "0.1.0"
