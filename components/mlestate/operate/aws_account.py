"""The caller's credentials held against one slice of an estate on AWS: every request, and every refusal as a sentence.

Credentials are boto3's own: its environment variables, profiles and endpoint settings all work.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.aws.policies import path
from mlestate.aws.trust import PEOPLE
from mlestate.config.people import People
from mlestate.errors import InputError
from mlestate.names import Names
from mlestate.operate.contract import Caller, Denied, Document, Elsewhere, NotThere, Refused

__all__ = ["Account", "Session", "person", "signer"]

try:
    import boto3  # type: ignore[import-untyped]  # it ships no types
    from botocore import xform_name
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ProfileNotFound
    from botocore.exceptions import ConnectionError as NotConnected
    from botocore.parsers import ResponseParserError
except ModuleNotFoundError as error:
    raise InputError(
        f"this command needs the package {error.name} to ask an account. Install it with: pip install 'mlestate[aws]'"
    ) from error

PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 4, "mode": "standard"})

UNREACHED = (NotConnected, HTTPClientError, ResponseParserError)
"""Nobody answered, or something that is not AWS: a proxy's page is no answer that botocore can read."""

SIGN_IN = "sign in (aws sso login) or name a profile (AWS_PROFILE)"

ENDPOINT = "look at AWS_ENDPOINT_URL and the endpoint_url of the profile"
"""botocore raises no error of its own for an address that is none, but a ValueError."""

DENIED = ("AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation", "403")
EXPIRED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
MISSING = (
    "NoSuchBucket",
    "NoSuchKey",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "ExecutionDoesNotExist",
)
NOT_FOUND_WORDS = ("does not exist", "not found", "could not find")
"""SageMaker has no code of its own for what is not there: it answers ValidationException with one of these."""

ACTIONS: Mapping[str, str] = {"stepfunctions": "states"}
"""How IAM spells a service where boto3 spells it otherwise (Service Authorization Reference)."""


class Session:
    """The credentials, and who they are."""

    def __init__(self, region: str) -> None:
        """
        Raises:
            Refused: there are none, they have expired, or nobody answers.
        """
        self.region = region
        try:
            self._session = boto3.Session(region_name=region)
            said = self._session.client("sts", config=PATIENCE).get_caller_identity()
        except ProfileNotFound as error:
            raise Refused(f"{error}: write it into ~/.aws/config, or {SIGN_IN}") from error
        except ClientError as error:
            code, message = _told(error)
            raise Refused(f"the credentials are not valid: {code}: {message}; {SIGN_IN}") from error
        except ValueError as error:
            raise Refused(f"AWS could not be asked who you are: {_line(error)}; {ENDPOINT}") from error
        except UNREACHED as error:
            raise Refused(f"AWS could not be reached to ask who you are: {_line(error)}") from error
        except BotoCoreError as error:
            raise Refused(f"AWS could not be asked who you are: {_line(error)}; {SIGN_IN}") from error
        self.account: str = said["Account"]
        self.user_id: str = said["UserId"]
        """What `${aws:userid}` of a policy is: the role's id and the session's name, or an IAM user's id."""
        self.caller = Caller(said["Arn"], person(said["Arn"]), signer(self.user_id))
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=PATIENCE)
        return self._clients[service]


class Account:
    """What a session may ask of the account of one slice."""

    def __init__(self, session: Session, names: Names, people: People, personas: Sequence[str]) -> None:
        """``personas`` are whose work this is; those of them that have people are named in a refusal.

        Raises:
            Elsewhere: the credentials are of another account.
        """
        self.session = session
        self.names = names
        self._personas = [each for each in personas if getattr(people, PEOPLE[each])]
        identity, of = session.caller.identity, f":assumed-role/{names.estate}-"
        wanted = self._personas or personas
        # Whoever asks as an auditor is told the auditor's role, not that of whom they are not.
        own = (each for each in wanted if of in identity and identity.rpartition("/")[0].endswith(f"-{each}"))
        self._persona = next(own, wanted[0])
        if session.account != names.home:
            raise Elsewhere(
                f"these credentials are of account {session.account} ({session.caller.identity}), and {self._slice} "
                f"lies in account {names.home}; {self._who_may()}"
            )

    @property
    def _slice(self) -> str:
        return f"{self.names.environment} of {self.names.estate}"

    @property
    def role(self) -> str:
        """The role of a persona whose work this is: the caller's own one where it is."""
        names = self.names
        return names.arn("iam", f"role{path(names)}{names.physical('role', self._persona)}", regional=False)

    def _who_may(self) -> str:
        if not self._personas:
            return (
                f"the {self._persona} of {self.names.environment} may, and people.{PEOPLE[self._persona]} of the file "
                "names nobody yet"
            )
        who = _any(self._personas)
        return (
            f"the {who} of {self.names.environment} may: take the role {self.role}, by a profile with that "
            f"role_arn and your own address as role_session_name, and AWS_PROFILE={self.role.rpartition('/')[2]}"
        )

    def ask(self, service: str, operation: str, on: str, missing: str, **arguments: Any) -> Document:
        """One request. ``on`` is the ARN of what it is about, ``missing`` the sentence for when that is not there.

        Raises:
            Denied: the caller may not; the sentence says who may.
            NotThere: with ``missing``.
            Refused: whatever else AWS answers, or nobody answers.
        """
        try:
            client = self.session.client(service)
        except ValueError as error:
            raise Refused(f"{service} in {self.names.region} could not be asked: {_line(error)}; {ENDPOINT}") from error
        try:
            found: Document = getattr(client, xform_name(operation))(**arguments)
        except ClientError as error:
            raise self._refusal(error, f"{ACTIONS.get(service, service)}:{operation}", on, missing) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise Refused(f"{service} in {self.names.region} could not be asked: {_line(error)}") from error
        return found

    def _refusal(self, error: ClientError, action: str, on: str, missing: str) -> Refused:
        code, message = _told(error)
        identity, role = self.session.caller.identity, self.role.rpartition("/")[2]
        if code in DENIED and f":assumed-role/{role}/" in identity:
            return Denied(f"{identity} may not {action} on {on}, though that is its work: {message}")
        if code in DENIED:
            return Denied(f"{identity} may not {action} on {on}; {self._who_may()}")
        if code in EXPIRED:
            return Refused(f"the credentials of {identity} are no longer valid ({code}); {SIGN_IN}")
        words = message.lower()
        if code in MISSING or (code == "ValidationException" and any(each in words for each in NOT_FOUND_WORDS)):
            return NotThere(missing)
        return Refused(f"{action} on {on} was refused: {code}: {message}")


def person(identity: str) -> str:
    """The name behind an ARN: the session's, the user's, or `root`."""
    return identity.rpartition("/")[2] if "/" in identity else identity.rpartition(":")[2]


def signer(user_id: str) -> str:
    """The name under a signature: the session's, which a role's trust policy makes the person's own; of an IAM user,
    who has no session, the id."""
    return user_id.rpartition(":")[2]


def _any(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _told(error: ClientError) -> tuple[str, str]:
    said = error.response["Error"]
    return str(said.get("Code", "an error without a code")), " ".join(str(said.get("Message", "")).split()).rstrip(".")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
