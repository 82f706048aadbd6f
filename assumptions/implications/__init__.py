"""What implies what."""
