"""What a user can put right. The text of each error is shown as it stands: what happened, then what to do."""

_OF_MEMORY = ("memory", "alloc")


class BillyError(Exception):
    """The job failed for a reason its text states; the command ends with exit code 1."""

    exit_code = 1


class UsageError(BillyError):
    """The request itself is wrong: an unknown name, a value out of range; exit code 2."""

    exit_code = 2


class ModelError(BillyError):
    """A model cannot be found, read, imported or held in memory."""


class UnsteerableModel(ModelError):
    """The self-test found that adding to this model's blocks would not do what it says."""


class TomlError(BillyError):
    """A TOML file is larger or deeper than is read here, or breaks a rule of what it is for."""


class CardError(TomlError):
    """A persona card or the question set breaks a rule of its format."""


class VectorError(BillyError):
    """A persona vector file is missing, damaged, or holds something else."""


class VectorMismatch(VectorError):
    """A persona vector was extracted from another model than the one loaded."""


class BlendError(UsageError):
    """A blend cannot be read, or its personas cancel."""


class ManuscriptError(BillyError):
    """A manuscript, or what is kept beside it, cannot be read, changed or saved."""


class DocumentError(ManuscriptError):
    """A document or lorebook of another program cannot be taken in."""


def is_of_memory(error: BaseException) -> bool:
    """Whether an error, or what it was raised from, says that there was no more memory: mlx has no type for it."""
    if isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _OF_MEMORY):
        return True
    return isinstance(error, MemoryError) or (error.__cause__ is not None and is_of_memory(error.__cause__))
