"""`python -m relwise`: the command line."""

from relwise.cli import main

main()
