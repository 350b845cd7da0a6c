"""`python -m sensord`."""

from sensord.cli.main import main

if __name__ == "__main__":
    main()
