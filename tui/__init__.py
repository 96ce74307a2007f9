"""People: command line, screens, widgets, Chinese words."""
