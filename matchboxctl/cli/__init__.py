"""What the commands share: arguments, errors, progress."""
