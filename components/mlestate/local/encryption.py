"""Secrets at rest, in the format of Pulumi's passphrase provider, so that `pulumi stack import` can read our states.

AES-256-GCM under PBKDF2-HMAC-SHA256 (8 bytes of salt, a million rounds); a stored text is `v1:<nonce>:<ciphertext>`,
the salt is kept as `v1:<salt>:<stored text of the word "pulumi">` so that a wrong passphrase is noticed (Pulumi,
`sdk/go/common/resource/config/crypt.go` and `pkg/secrets/passphrase/manager.go`).
"""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mlestate.errors import InputError

if TYPE_CHECKING:  # seven megabytes that a state without secrets does not pay
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROUNDS: Final = 1_000_000
_PROOF: Final = "pulumi"


class Encryption:
    """Encrypts and decrypts; the key is derived (about half a second) when the first secret needs it, and kept.

    `passphrase` is asked only then. `salt` is the stored salt of an existing state, None for a new one. Raises
    InputError when the passphrase is not the one that the salt was made with.
    """

    def __init__(self, passphrase: Callable[[], str], salt: str | None = None) -> None:
        self._passphrase = passphrase
        self._salt = salt
        self._cipher: AESGCM | None = None

    @property
    def salt(self) -> str | None:
        """What a checkpoint keeps; None as long as no secret was met."""
        return self._salt

    def provider(self) -> dict[str, Any] | None:
        """The `secrets_providers` entry of a checkpoint, None when there is no secret in it."""
        return None if self._salt is None else {"type": "passphrase", "state": {"salt": self._salt}}

    def seal(self, text: str) -> str:
        cipher = self._cipher or self._derive()
        return _seal(cipher, text)

    def open(self, sealed: str) -> str:
        cipher = self._cipher or self._derive()
        try:
            return _open(cipher, sealed)
        except ValueError as error:
            raise InputError(
                "the state holds a secret that its passphrase does not open; the file was changed"
            ) from error

    def _derive(self) -> "AESGCM":
        if self._salt is None:
            salt = os.urandom(8)
            self._cipher = _cipher(self._passphrase(), salt)
            self._salt = f"v1:{_text(salt)}:{_seal(self._cipher, _PROOF)}"
            return self._cipher
        version, salt_text, proof = self._salt.split(":", 2)
        if version != "v1":
            raise InputError(
                f"the state's secrets use format {version!r}; only 'v1' of the passphrase provider is read"
            )
        cipher = _cipher(self._passphrase(), base64.b64decode(salt_text))
        try:
            _open(cipher, proof)
        except ValueError as error:
            raise InputError(
                "the passphrase does not open this state's secrets; "
                "set PULUMI_CONFIG_PASSPHRASE to the one it was made with"
            ) from error
        self._cipher = cipher
        return cipher


def salt_of(secrets_providers: Mapping[str, Any]) -> str:
    """The salt in a checkpoint's `secrets_providers`; raises InputError for another kind of provider."""
    kind = secrets_providers.get("type")
    if kind != "passphrase":
        raise InputError(
            f"the state's secrets are encrypted by {kind!r}; only 'passphrase' is read here: "
            "export it with `pulumi stack export --show-secrets`"
        )
    return str(secrets_providers["state"]["salt"])


def _cipher(passphrase: str, salt: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32))


def _seal(cipher: "AESGCM", text: str) -> str:
    nonce = os.urandom(12)
    return f"v1:{_text(nonce)}:{_text(cipher.encrypt(nonce, text.encode(), None))}"


def _open(cipher: "AESGCM", sealed: str) -> str:
    """What was sealed. Raises ValueError when it was not sealed with this key."""
    from cryptography.exceptions import InvalidTag

    _version, nonce, ciphertext = sealed.split(":")
    try:
        return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None).decode()
    except InvalidTag as error:
        raise ValueError("sealed with another key, or changed since") from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
