"""The command line: parses, calls, writes; no mathematics."""

from workbench.cli.app import main

__all__ = ["main"]
