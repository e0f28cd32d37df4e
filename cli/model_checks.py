"""What `thrifty doctor` looks at for each model role: its vendor's package, key, server, price, how
long its answers can be, and how what it is sent is bounded."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from thrifty.budget import InvalidInput, ModelUnavailable
from thrifty.budget.dollars import format_usd
from thrifty.budget.plain_text import single_line
from thrifty.cli.finding import Finding, list_some
from thrifty.models.costs.input_bound import is_exact
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import AS_ASKED, ModelRoles
from thrifty.models.roles.probe import probe
from thrifty.settings import KEY_VARIABLE

PASSWORD = re.compile(r"//[^/?#]*@")
"""What may stand in an address before its host."""


def check_models(roles: ModelRoles) -> Iterator[Finding]:
    """Looks at the models of a deployment. It costs nothing."""
    missing = [role for role in roles if _lacks_package(role)]
    yield from map(_missing_package, missing)
    there = [role for role in roles if role not in missing]
    if there and roles.is_offline:
        yield _offline(there)
        return
    yield from map(_describe_model, there)
    for at_one_server in _group_by_server(there):
        yield from _check_server(at_one_server)
    for role in there:
        if not role.is_offline:
            yield _check_price(role)
            yield _check_answer(role)
            yield _check_input(role)


def _lacks_package(role: ModelRole) -> bool:
    return role.offline_reason != AS_ASKED and not role.vendor.is_installed()


def _missing_package(role: ModelRole) -> Finding:
    what, _, remedy = role.vendor.install_remedy().partition(": ")
    says = f"{role.model}, of {role.vendor.title}: {what}"
    return Finding("model", says, remedy, InvalidInput.exit_code, role.name)


def _offline(roles: Sequence[ModelRole]) -> Finding:
    reasons = "; ".join(dict.fromkeys(role.offline_reason for role in roles))
    says = f"{reasons}: local executors do all of the work"
    variables = dict.fromkeys(role.key_variable for role in roles if role.key_variable)
    names = " or ".join((*variables, *(["OPENAI_BASE_URL"] if KEY_VARIABLE in variables else [])))
    return Finding("key", says, f"for models, set {names}")


def _group_by_server(roles: Sequence[ModelRole]) -> list[list[ModelRole]]:
    """The roles that are asked at one address with one key stand together."""
    groups: dict[tuple[object, ...], list[ModelRole]] = {}
    for role in roles:
        asked = role.vendor, role.base_url, role.key_variable, role.api_key
        groups.setdefault(asked, []).append(role)
    return list(groups.values())


def _check_server(roles: Sequence[ModelRole]) -> Iterator[Finding]:
    """Looks at the key and the server of roles that have both in common."""
    names, first = ", ".join(role.name for role in roles), roles[0]
    yield _check_key(first, names)
    if not first.is_offline:
        yield _ask_server(roles, names)


def _check_key(role: ModelRole, names: str) -> Finding:
    if role.is_offline:
        return Finding("key", role.offline_reason, f"set {role.key_variable}", role=names)
    if role.api_key:
        return Finding("key", f"{role.key_variable} is set", role=names)
    return Finding("key", role.vendor.without_key, role=names)


def _ask_server(roles: Sequence[ModelRole], names: str) -> Finding:
    where = PASSWORD.sub("//", single_line(roles[0].address))
    try:
        answer = probe(roles[0])
    except ModelUnavailable as error:
        remedy = f"check {roles[0].key_variable or 'its key_variable'}"
        if not error.for_good:
            variables = (*roles[0].vendor.address_variables[-1:], "the model's base_url")
            remedy = f"start it, or check its address: {', or '.join(variables)}"
        return Finding("server", f"{where}: {error}", remedy, error.exit_code, names)
    if answer is None:
        return Finding("server", f"{where} has no list that is free; --try asks it", role=names)
    says = f"{where} answered in {answer.took_ms:,} ms"
    if answer.models is None:
        return Finding("server", f"{says}; it lists no models", role=names)
    if missing := [role.model for role in roles if role.model not in answer.models]:
        says = f"{says}, and does not list {', '.join(missing)}"
        remedy = f"choose with --models: {list_some(answer.models)}"
        return Finding("server", says, remedy, role=names)
    return Finding("server", says, role=names)


def _describe_model(role: ModelRole) -> Finding:
    package = role.vendor.package
    with suppress(PackageNotFoundError):  # it may have been put there by hand
        package += f" {version(package)}"
    thinks = f", effort {role.effort}" if role.effort else ""
    says = f"{role.model}, by {role.vendor.title}'s protocol{thinks} ({package})"
    return Finding("model", says, role=role.name)


def _check_price(role: ModelRole) -> Finding:
    model, prices = role.model, role.prices
    fee, _, remedy = role.undeclared_fee.partition("; ")
    if fee:
        says = f"{fee}: with a limit on cost it would not be asked"
        return Finding("price", says, remedy, role=role.name)
    if not prices.knows(model):
        says = f"no price is known for {model}: with a limit on cost it would not be asked"
        remedy = "give it a price, in THRIFTY_PRICES or the settings, or limit tokens instead"
        return Finding("price", says, remedy, role=role.name)
    read = format_usd(prices.quote(model, 1_000_000, 0))
    written = format_usd(prices.quote(model, 0, 1_000_000))
    says = f"{model}: {read} read and {written} written, for a million tokens"
    for each in role.fees.values():
        says += f", and {format_usd(each.nano_usd)} for each of at most {each.uses_max:,} searches"
    return Finding("price", says, role=role.name)


def _check_answer(role: ModelRole) -> Finding:
    """How long an answer it is asked for at most."""
    says = f"at most {role.output_tokens_most:,} tokens are asked for"
    if not role.knows_output_tokens:
        says += ", as nobody here knows how many it can write"
    if role.thinking.tokens:
        says += f", at least {role.output_tokens_least:,}, so that it can think"
    return Finding("answer", says, role=role.name)


def _check_input(role: ModelRole) -> Finding:
    """How the tokens of what it is sent are bounded."""
    try:
        is_counted = is_exact(role.encoding)
    except ImportError as error:
        remedy = "install thrifty anew"
        return Finding("input", f"no tokenizer can be loaded: {error}", remedy, 1, role.name)
    says = "its texts are counted by OpenAI's own encoding, with room for what stands around them"
    if role.encoding_told:
        says = f"its texts are counted by {role.encoding_told}, as you say"
    elif not is_counted:
        says = "nobody here knows its tokenizer: bytes are counted, so that more is reserved than "
        says += "is used"
    return Finding("input", says, role=role.name)
