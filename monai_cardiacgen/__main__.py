"""`python -m monai_cardiacgen` is the command `cardiacgen`."""

from .cli import main

if __name__ == "__main__":
    main()
