"""Keys on the command line, refused before anything is connected. Each a ``type=`` of click parameters."""

import click


def routing_key(value: str) -> str:
    """The key of one event: no pattern, and no word of it is empty, which is a slip of the hand.

    Raises:
        click.BadParameter: it is none.
    """
    words = binding_key(value).split(".")
    if {"*", "#"} & {*words}:
        raise click.BadParameter(f"{value!r}: expected a routing key, not a pattern: * and # are for binding keys")
    if not all(words):
        raise click.BadParameter(f"{value!r}: expected a routing key, words with dots between them: a word is empty")
    return value


def binding_key(value: str) -> str:
    """A pattern, whatever stands in it: a word that is no wildcard stands for itself.

    Raises:
        click.BadParameter: AMQP cannot carry it.
    """
    from typed_pubsub.events.keys import check_amqp_key

    try:
        return check_amqp_key(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
