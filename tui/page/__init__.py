"""What can be done on the page: the commands of one feature to a module, and what carries them out."""
