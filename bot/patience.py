"""How long the caller may say nothing when it is their turn, and how often they are asked. Times are seconds."""

from bot.policy import CallPolicy


class Patience:
    def __init__(self, policy: CallPolicy, now: float) -> None:
        self._policy = policy
        self._since = now
        self._questions = 0

    def begin(self, now: float) -> None:
        """The floor is the caller's from now on."""
        self._since = now

    def spoken(self) -> None:
        """They are there: whoever falls silent again is asked anew."""
        self._questions = 0

    def ends_at(self, *, is_transferring: bool, is_message_left: bool) -> float:
        """When something must be done about the silence: a carrier is to take the caller away, or they are to speak."""
        if is_transferring:
            return self._since + self._policy.transfer_timeout_s
        return self._since + (self._policy.message_wait_s if is_message_left else self._policy.idle_prompt_s)

    def asks_again(self) -> bool:
        """Whether "are you still there?" is worth another try; each call counts as one."""
        self._questions += 1
        return self._questions <= self._policy.idle_prompts
