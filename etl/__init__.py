"""Published crime and justice tables of England and Wales, read into a warehouse that knows every cell."""
