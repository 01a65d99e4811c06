"""Run the command line with ``python -m helikon.cli``."""

from helikon.cli import main

if __name__ == "__main__":
    main()
