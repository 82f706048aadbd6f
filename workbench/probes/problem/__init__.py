"""A network and its data as a problem of the library."""
