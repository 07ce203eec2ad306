"""Who calls: the write key, this service's own tokens, an OpenID Connect issuer's tokens."""
