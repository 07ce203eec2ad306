"""Travis CI: its webhook notifications."""

PROVIDER = "travis"
