"""`python -m tui` is `lianban`."""

from tui.cli import main

if __name__ == "__main__":
    main()
