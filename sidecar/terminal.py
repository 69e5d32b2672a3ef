"""Sentences for a person at a terminal.

Writing one never fails: the reader may be gone, the terminal may be closed, and its encoding may lack a character.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO
from weakref import WeakSet


def say(sentence: str) -> bool:
    """Write a line to standard output; return whether somebody may still read it."""
    return write(sys.stdout, sentence + "\n")


def complain(sentence: str, code: str | None = None) -> None:
    """Write an error, as a line, to standard error. With a code, that is its entry in ERRORS.md."""
    write(sys.stderr, f"error{'' if code is None else f'[{code}]'}: {sentence}\n")


def write(stream: TextIO | None, text: str) -> bool:
    """Write `text` to `stream` at once; return `False` if its reader is gone.

    The stream is `None` where the process was started with it closed. A character that the stream's encoding lacks
    becomes a question mark. A stream without a reader is silenced: later text is discarded.
    """
    if stream is None or stream in _silenced:
        return False
    try:
        stream.write(_encodable(text, stream.encoding))
        stream.flush()
    except BlockingIOError:  # another program has made the terminal non-blocking, and it is full: it is not gone
        return True
    except (OSError, ValueError):  # the second for a stream that was closed
        _silence(stream)
        return False
    return True


def flush() -> None:
    """Flush standard output and standard error, so that the interpreter's own last flush cannot fail."""
    for stream in (sys.stdout, sys.stderr):
        write(stream, "")


def _encodable(text: str, encoding: str | None) -> str:
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")
    return text


_silenced: WeakSet[TextIO] = WeakSet()
"""Streams without a reader."""


def _silence(stream: TextIO) -> None:
    """Redirect the stream's descriptor to the null device. Bytes that it still buffers would fail the interpreter's
    end.
    """
    _silenced.add(stream)
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
