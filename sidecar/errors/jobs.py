"""The errors of jobs that no exception of this package explains. They are stored with the job, not raised."""

from sidecar.errors.base import SidecarError


class JobFailed(SidecarError):
    """The function of a job raised an exception, or its process ended.

    Cause: a fault in the job's function or in its input, or a process that ran out of memory. The job's `error` names
    the exception; the sidecar's log has its traceback.

    Cure: correct the function or the input, and begin the job again. A function that raises a `SidecarError` gives its
    job that code and sentence instead.
    """

    code = "job_failed"


class JobInterrupted(SidecarError):
    """The sidecar ended while the job ran, and its kind is not to be repeated.

    Cause: the app was closed or the sidecar crashed during the job. Some of the work may have been done.

    Cure: look at what was done, and begin the job again. A job that is safe to repeat can be declared so; it then
    continues by itself at the next start.
    """

    code = "interrupted"
