"""Settings of a bot for calls with the local models, which on a busy machine may take their time.

A caller that follows a script takes whatever is said next for the answer: neither a filler ("one moment") nor a prompt
("are you still there?") may come before it.
"""

PATIENT = {"filler_after_s": 60.0, "reply_timeout_s": 30.0, "idle_prompt_s": 60.0}
STALL_S = 30.0
"""For `realtime.stall_s`: how long a model may say nothing."""
