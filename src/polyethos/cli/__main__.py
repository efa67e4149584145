"""`python -m polyethos.cli`, for environments whose scripts are not on the path."""

from polyethos.cli import main

main()
