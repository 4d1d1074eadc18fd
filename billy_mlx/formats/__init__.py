"""Files of other programs: bytes read without believing anything in them, and written as others read them."""
