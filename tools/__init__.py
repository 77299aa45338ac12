"""The floor of the house: the registry, the door and the domain; it knows no face and no wire."""
