"""Room 3: recipes for figures. Each computes its numbers, draws them, and saves both."""

FIGURES: tuple[type, ...] = ()
"""Every recipe of the room, in the order in which `workbench list figures` shows them."""
