"""What every request passes before it reaches an endpoint: small pure-ASGI classes, one file each."""
