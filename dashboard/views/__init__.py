"""One module a page; each says what is shown, in the order in which it is shown."""
