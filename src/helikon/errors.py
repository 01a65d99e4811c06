"""Every error that Helikon raises on purpose, as one tree.

::

    HelikonError
    ├── UserError              the caller can put it right      exit 1
    │   ├── SettingsError      helikon.yaml, HELIKON_*, a flag
    │   ├── InputError         a file, table or value that cannot be used
    │   ├── NotFound           no job, model, run or file of that name
    │   ├── AlreadyExists      the name is taken by something else
    │   └── Missing            an extra, Java or a tool is not installed
    └── EngineError            an engine below us failed        exit 70
        ├── NotReady           it did not answer in time
        └── JobFailed          a job that was waited for failed

A message says what is wrong, what was got, what was expected and what to do
next. It never holds a secret.
"""

__all__ = [
    "AlreadyExists",
    "EngineError",
    "HelikonError",
    "InputError",
    "JobFailed",
    "Missing",
    "NotFound",
    "NotReady",
    "SettingsError",
    "UserError",
]


class HelikonError(Exception):
    """Root of all errors raised on purpose.

    Parameters
    ----------
    what : str
        What is wrong, a clause without a full stop.
    got, expected, next_step : str, optional
        What was found, what was looked for, and what the reader can do now.
    """

    exit_code = 70

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        expected: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what, self.got, self.expected, self.next_step = what, got, expected, next_step
        super().__init__(what)

    def __str__(self) -> str:
        """One line: what: got …, expected …; next step."""
        details = [
            f"{label} {value}"
            for label, value in (("got", self.got), ("expected", self.expected))
            if value is not None
        ]
        text = f"{self.what}: {', '.join(details)}" if details else self.what
        return f"{text}; {self.next_step}" if self.next_step else text

    def as_dict(self) -> dict[str, str | None]:
        """Return the one shape that errors have in JSON: what, got, expected, next."""
        return {
            "what": self.what,
            "got": None if self.got is None else str(self.got),
            "expected": self.expected,
            "next": self.next_step,
        }


class UserError(HelikonError):
    """Something that the caller can put right."""

    exit_code = 1


class SettingsError(UserError):
    """A setting is unknown or has a value that cannot be used."""


class InputError(UserError):
    """A file, table or value cannot be used."""


class NotFound(UserError):
    """Nothing of that name is known."""


class AlreadyExists(UserError):
    """The name is taken by something else."""


class Missing(UserError):
    """Something that this needs is not installed."""


class EngineError(HelikonError):
    """An engine below us (Spark, torchrun, BentoML, MLflow, JupyterHub) failed."""


class NotReady(EngineError):
    """A service did not answer in time."""


class JobFailed(EngineError):
    """A job that was waited for ended without success."""
