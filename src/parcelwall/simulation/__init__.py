"""A pretend town on a virtual clock: people, doors, lines. Desks, journals, rules, link and bytes are real."""
