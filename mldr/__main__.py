"""`python -m mldr`."""

from mldr.cli import main

if __name__ == "__main__":
    main()
