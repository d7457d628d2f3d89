"""Whose fault it is. The class of an error decides what is done about it.

BotError
├── ConfigError       the operator's file or environment: the start stops with what to change
├── CarrierError      the carrier sent or answered something impossible: that call ends, others do not notice
│   └── SignatureError    a webhook that the carrier did not sign: 403, nothing happens
├── VoiceError        an engine (model, transcriber, speaker) failed: the caller hears so, then goodbye or transfer
│   └── RequestFailedError   a server of models would not or could not answer; whether asking again may help, it says
├── ToolError         a tool could not do what the model asked: the model is told so, in the message's words
├── StoreError        the call log could not be read or written
├── WorkerError       one of several processes could not start; what it said of itself is the message
└── RehearsalError    an emulated call could not be placed as asked; no real caller is concerned
"""

_REFUSED_CONTENT = frozenset({400, 413, 422})
"""HTTP statuses that a request gets for what it holds: the next one holds something else."""


class BotError(Exception):
    """The root of all errors that Offhook raises on purpose."""


class ConfigError(BotError):
    """The configuration cannot be used; the message names the key and what to write instead."""


class CarrierError(BotError):
    """The carrier broke its own protocol, or refused what we asked of it."""

    def __init__(self, message: str, close_code: int = 1002) -> None:
        """`close_code` closes the media socket where one is open (RFC 6455, section 7.4.1; 1002: protocol error)."""
        super().__init__(message)
        self.close_code = close_code


class SignatureError(CarrierError):
    """The request does not carry the carrier's signature for what it says."""


class VoiceError(BotError):
    """What listens, thinks or speaks failed or is missing; the message says what to install or check."""


class RequestFailedError(VoiceError):
    """A server of models would not, or could not, answer one request."""

    def __init__(
        self,
        message: str,
        *,
        is_fatal: bool,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """`is_fatal` is what will not go away by itself. `status`, `code` and `param` are the server's words, None
        where there was no answer, or one that began well and broke off; `request_id` is its name for the request."""
        super().__init__(message)
        self.is_fatal = is_fatal
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id

    @property
    def is_final(self) -> bool:
        """Whether other requests will fare no better: it is not what this one holds that was refused."""
        return self.is_fatal and self.status not in _REFUSED_CONTENT


class ToolError(BotError):
    """What a voice asked for cannot be done; the message is a sentence for the model."""


class StoreError(BotError):
    """The call log is out of reach or holds something it cannot hold."""


class WorkerError(BotError):
    """A process that was to answer calls beside others could not start."""


class RehearsalError(BotError):
    """An emulated call cannot be placed as it was asked for; the message says what to change."""
