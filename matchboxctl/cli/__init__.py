"""Arguments, errors, warnings and progress that the commands share."""
