"""The models of a deployment, by the roles that they have."""
