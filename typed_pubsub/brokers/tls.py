"""TLS as it is wherever nobody says otherwise: the certificate is checked, and that it is for this host.

py-amqp alone checks no host name, and kombu asks for the address where the URL says ``localhost``.
"""

import ssl
from collections.abc import Mapping
from typing import Any


def checked(hostname: str | None, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """py-amqp's options for one host. A dict of its own each time: kombu writes into it."""
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": hostname or "localhost", **(files or {})}


def readable(options: Mapping[str, str]) -> dict[str, str]:
    """The files of a URL's options, by py-amqp's names.

    Raises:
        ValueError: a file cannot be used for what it is named for; the text names the option.
    """
    files = {name.removeprefix("ssl_"): path for name, path in options.items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "ca_certs" in files:
            context.load_verify_locations(files["ca_certs"])
    except OSError as error:
        raise ValueError(f"ssl_ca_certs: no certificates can be read from this file: {error}") from None
    try:
        if "certfile" in files:
            # Nobody is there to be asked for the password of a key.
            context.load_cert_chain(files["certfile"], files.get("keyfile"), password="")
    except OSError as error:
        raise ValueError(f"ssl_certfile, ssl_keyfile: no certificate with its key can be read: {error}") from None
    return files
