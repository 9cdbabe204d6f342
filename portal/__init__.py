"""The house the rooms live in: settings, tenants, people, access, audit and the doors."""
