"""Every error a user can cause.

PolyethosError
├── DataError                     what was read is not usable
│   ├── UnknownNameError          a language, value, data set, layer, ... that does not exist; names the closest one
│   │   ├── UnknownLanguageError
│   │   └── UnknownValueError
│   ├── DataFormatError           a file that cannot be read as what it claims to be
│   └── InvalidPairsError         contrast pairs that fail validation; carries every problem found
├── LabelMismatchError            labelled arrays whose coordinates differ
├── ModelError
│   ├── ModelLoadError            no such model, broken files, remote code refused
│   ├── UnsupportedModelError     loaded, but not a decoder-only language model we can read
│   └── WrongModelError           vectors made for another model
├── StudyError
│   ├── InvalidStudyError         a study definition with a wrong field
│   └── StudyMismatchError        a run folder made by another study
├── RunError                      a run folder that is missing, unfinished, broken or in use
├── LabError                      a mixture, corpus or training run that cannot be used
├── SteeringError                 an intervention that cannot be applied
├── ResourceError                 memory, disk or a device is not enough; says what would be
└── MissingDependencyError        an optional package is not installed; says which extra brings it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class PolyethosError(Exception):
    """Base of every error a user can cause; the command line prints it in one line and exits with code 2."""


class DataError(PolyethosError):
    """What was read is not usable."""


class UnknownNameError(DataError):
    """A name that does not exist; the message gives the closest one that does."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str], where: str = "") -> UnknownNameError:
        """Build the error for `name`, an unknown `kind`, met at `where` (for instance "pairs.csv, line 3")."""
        known = list(known)
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        place = f"{where}: " if where else ""
        return cls(f"{place}unknown {kind} {name!r}; {hint}")


class UnknownLanguageError(UnknownNameError):
    """A language code that the language table does not hold."""


class UnknownValueError(UnknownNameError):
    """A human value that polyethos does not define."""


class DataFormatError(DataError):
    """A file that cannot be read as what it claims to be."""


class InvalidPairsError(DataError):
    """Contrast pairs that fail validation.

    Attributes:
        problems: one line per problem, each with file, line, field, what was found and what was expected.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class LabelMismatchError(PolyethosError):
    """Labelled arrays whose shared coordinates differ."""


class ModelError(PolyethosError):
    """A model cannot be used."""


class ModelLoadError(ModelError):
    """A model cannot be loaded: it is missing, broken, or would run code of its own."""


class UnsupportedModelError(ModelError):
    """A model was loaded but is not a decoder-only language model whose blocks can be read."""


class WrongModelError(ModelError):
    """Vectors were made for another model than the one they are put on."""


class StudyError(PolyethosError):
    """A study cannot be run."""


class InvalidStudyError(StudyError):
    """A study definition has a wrong field."""


class StudyMismatchError(StudyError):
    """A run folder was made by another study; the message says what differs."""


class RunError(PolyethosError):
    """A run folder is missing, unfinished, broken or in use."""


class LabError(PolyethosError):
    """A mixture, corpus or training run of the lab cannot be used."""


class SteeringError(PolyethosError):
    """An intervention on the residual stream cannot be applied."""


class ResourceError(PolyethosError):
    """Memory, disk or a device is not enough; the message says what would be."""


class MissingDependencyError(PolyethosError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingDependencyError:
        """Build the error for `package`, brought by the extra `extra`, needed for `purpose`."""
        return cls(f"{purpose} needs the package {package}, which is not installed: pip install 'polyethos[{extra}]'")
