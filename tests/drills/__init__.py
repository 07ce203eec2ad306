"""The drills of `make drill`, shortened: the same code, fewer rounds."""
