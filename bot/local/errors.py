"""What a request to the local server can be refused for; `VoiceError` is for what fails at our end."""

from bot.errors import BotError


class RequestError(BotError):
    """The request cannot be served as it is; the message is for whoever sent it."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        """`param`, `code` and the HTTP `status` as in OpenAI's error objects."""
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status


class SoundFileError(RequestError):
    """The uploaded recording is not one we can listen to."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message, "file", code)
