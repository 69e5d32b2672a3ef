"""Things outside of the sidecar that it needs and does not get."""

from errno import EMFILE, ENFILE

from sidecar.errors.base import SidecarError


class OutOfDescriptors(SidecarError):
    """The process, or the whole system, has as many files and connections open as its limit allows.

    Cause: the limit on open files is low, or an extension or another program opens files and does not close them.

    Cure: close what is open in vain, or raise the limit (`ulimit -n`), and call again.
    """

    code = "out_of_descriptors"
    status = 503
    retryable = True

    @classmethod
    def caused(cls, error: OSError) -> "OutOfDescriptors | None":
        """Return the error for `EMFILE` and `ENFILE`, and `None` for other errors of the system."""
        if error.errno == EMFILE:
            return cls("The process cannot open more files; raise its limit (`ulimit -n`), or close what it has open.")
        if error.errno == ENFILE:
            return cls("The system cannot open more files; close other programs and try again.")
        return None


class NotAvailable(SidecarError):
    """The operation needs an extra that is not installed, or a setting that is missing.

    Cause: search by meaning needs the extra `vectors`, and text instead of vectors needs an endpoint that embeds it.

    Cure: `pip install 'electron-sidecar[vectors]'`, or set `embedding.url` and `embedding.model`, and start the sidecar
    again. A frozen sidecar must be frozen with the extra.
    """

    code = "not_available"
    status = 501


class EmbeddingUnavailable(SidecarError):
    """The embedding endpoint does not answer or is overloaded; nothing was changed.

    Cause: the service at `embedding.url` is not running, cannot be reached, or answers too slowly.

    Cure: start it, and call again. For a slow model, raise `embedding.timeout_s`.
    """

    code = "embedding_unavailable"
    status = 503
    retryable = True


class EmbeddingRefused(SidecarError):
    """The embedding endpoint refuses, or its answer is unusable; nothing was changed.

    Cause: the key, the model's name or the address is wrong, or the endpoint does not speak OpenAI's protocol.

    Cure: check `url`, `model` and `api_key` in the settings `[embedding]`.
    """

    code = "embedding_refused"
    status = 502


class FreezeFailed(SidecarError):
    """The frozen sidecar cannot be built, or fails its self-test; an earlier one was left as it was.

    Cause: PyInstaller cannot read a package, or the frozen sidecar lacks a module or a file.

    Cure: read the step and the reason in the message; name a package that is imported at run time with `--include`.
    """

    code = "freeze_failed"
