"""The refusal of a Python that is too old for this package.

Such a Python has to parse `__main__` and to run this file, so nothing newer than Python 3.6 belongs here, and nothing
else of the package may be imported before the check.
"""

import os
import sys

LEAST = (3, 11)

CODE = "python_too_old"
EXIT_CODE = 2
"""The code and the exit code of `errors.PythonTooOld`, which an old Python cannot import."""


def refuse_old_python(is_child: bool, version: "tuple[int, ...]" = tuple(sys.version_info[:3])) -> None:
    """End the process unless `version` is new enough: with a status line if a bridge has started it, else with a
    sentence.
    """
    if version >= LEAST:
        return
    least, found = (".".join(str(part) for part in numbers) for numbers in (LEAST, version))
    message = (
        f"electron-sidecar needs Python {least} or newer, and {sys.executable} is Python {found}; make the virtual "
        "environment again with a newer Python, and install electron-sidecar into it."
    )
    if is_child:
        import json

        status = {"event": "failed", "code": CODE, "message": message, "exit_code": EXIT_CODE}
        os.write(1, f"{json.dumps(status)}\n".encode())
    else:
        os.write(2, f"error: {message}\n".encode())
    os._exit(EXIT_CODE)
