"""Certificates for tests, made with the command line of OpenSSL."""

import subprocess
from pathlib import Path

_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


class Authority:
    """A CA of the test's own; ``path`` is its certificate."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.path = directory / f"{name}.pem"
        self._directory = directory
        self._key = directory / f"{name}.key"
        # What Python 3.13 wants of an authority, and below of a certificate.
        usage = "-addext keyUsage=critical,keyCertSign,cRLSign"
        _openssl(f"req -x509 {_NEW_KEY} -days 2 -subj /CN={name} {usage} -keyout {self._key} -out {self.path}")

    def issue(self, alternative_name: str, *, days: int = 2, subject: str = "test") -> Path:
        """One file with a certificate for a name, such as ``DNS:localhost``, and its key; -1 days: expired."""
        key, request, names = (self._directory / file for file in ("leaf.key", "leaf.csr", "leaf.names"))
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        names.write_text(f"subjectAltName={alternative_name}\n{identifiers}")
        _openssl(f"req -new {_NEW_KEY} -subj /CN={subject} -keyout {key} -out {request}")
        signed = _openssl(
            f"x509 -req -in {request} -CA {self.path} -CAkey {self._key} {_lasting(days)} -extfile {names}"
        )
        issued = self._directory / f"{subject}-{alternative_name.replace(':', '-')}-{days}.pem"
        issued.write_text(signed + key.read_text())
        return issued


def _lasting(days: int) -> str:
    if days > 0 or "-not_after" not in _openssl("x509 -help"):
        return f"-days {days}"
    # Newer ones take no days that are over.
    return "-not_before 20250101000000Z -not_after 20250102000000Z"


def _openssl(command: str) -> str:
    done = subprocess.run(["openssl", *command.split()], check=True, capture_output=True, text=True)
    # Its help goes to the other one.
    return done.stdout or done.stderr
