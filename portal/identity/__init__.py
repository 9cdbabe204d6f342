"""Signing in with the account of an organisation, by OpenID Connect: providers, accounts and the way in."""
