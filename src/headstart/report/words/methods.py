"""Pairs by the names that papers give them: sgd + adam is FedAdam."""

from headstart.looks.competitors import Pair, family

SERVERS = {
    "sgd": "FedAvg",
    "momentum": "FedAvgM",
    "adam": "FedAdam",
    "yogi": "FedYogi",
    "adagrad": "FedAdagrad",
}
CLIENTS = {
    "sgd": "SGD",
    "gd": "full-batch",
    "proximal": "FedProx",
    "nova": "FedNova",
    "scaffold": "SCAFFOLD",
    "mimelite": "MimeLite",
}
PLAIN = "sgd"
"""The client, and the server, that are not named where the other has a name of its own."""


def method(pair: Pair) -> str:
    """The method that a pair is, in a sentence; client + server where one has no name in papers.

    >>> method(Pair("sgd", "adam")), method(Pair("gd", "adam"))
    ('FedAdam', 'FedAdam with full-batch clients')
    >>> method(Pair("proximal(mu=0.1)", "sgd")), method(Pair("nova", "adam@flsim"))
    ('FedProx (mu=0.1)', 'FedAdam (flsim) with FedNova clients')
    >>> method(Pair("own:clipped", "adam"))
    'own:clipped + adam'
    """
    return _named(pair, "{} with {} clients{}")


def short_method(pair: Pair) -> str:
    """The same where there is little room.

    >>> short_method(Pair("gd", "adam")), short_method(Pair("nova(momentum=0.9)", "adam"))
    ('FedAdam, full-batch', 'FedAdam, FedNova (momentum=0.9)')
    """
    return _named(pair, "{}, {}{}")


def _named(pair: Pair, both: str) -> str:
    """Write a pair; `both`: how server, client and the client's parameters are put together."""
    client, server = CLIENTS.get(family(pair.client)), SERVERS.get(family(pair.server))
    if client is None or server is None:
        return str(pair)
    server += _parameters(pair.server)
    if pair.client == PLAIN:
        return server
    if pair.server == PLAIN and family(pair.client) not in (PLAIN, "gd"):
        return client + _parameters(pair.client)
    return both.format(server, client, _parameters(pair.client))


def _parameters(part: str) -> str:
    """The preset and the parameters of a part, in brackets.

    >>> _parameters("adam@flower(epsilon=0.1)"), _parameters("adam")
    (' (flower, epsilon=0.1)', '')
    """
    name, bracket, given = part.partition("(")
    told = [name.partition("@")[2], given.removesuffix(")") if bracket else ""]
    return f" ({', '.join(filter(None, told))})" if any(told) else ""
