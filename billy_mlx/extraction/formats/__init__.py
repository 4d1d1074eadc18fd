"""Files of other tools, read without believing anything in them, and files for other tools. Blocks count from 0."""
