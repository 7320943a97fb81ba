"""`python -m clients.kit`, or `python wallet-kit.pyz`."""

import sys

from clients.kit.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
