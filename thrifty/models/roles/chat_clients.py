"""The clients of a deployment's model roles, each made when it is first asked."""

from functools import cache

from pydantic import ValidationError

from thrifty.budget import ModelUnavailable
from thrifty.models.failures.server_words import plain_words
from thrifty.models.providers.vendor import Vendor
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles


class ChatClients:
    """Clients by role, each made once."""

    def __init__(self, roles: ModelRoles) -> None:
        self._roles = roles
        self.get = cache(lambda role: make_client(roles[role]))

    def load(self) -> None:
        """Imports the client libraries, which takes seconds the first time.

        Raises:
            ModelUnavailable: no client can be made, as where a proxy is named that cannot be used.
        """
        for role in self._roles:
            if not role.is_offline:
                self.get(role.name).load()


def make_client(role: ModelRole) -> Vendor:
    """The model of a role, ready to be asked.

    Raises:
        ModelUnavailable: its client cannot be made.
    """
    try:
        return role.vendor.of_role(role)
    except Exception as error:
        named = " or ".join((*role.vendor.address_variables, "its base_url"))
        remedy = role.vendor.client_remedy or f"check {named}, and the proxy variables"
        why = f"no client can be made for {role.model} ({_safe_message(error, role)}); {remedy}"
        raise ModelUnavailable(why) from error


def _safe_message(error: Exception, role: ModelRole) -> str:
    """What an error says, without the values that it was about."""
    if isinstance(error, ValidationError):
        return str(error.errors(include_input=False)[0]["msg"])
    return plain_words(str(error).rstrip("."), [role.api_key] if role.api_key else [])
