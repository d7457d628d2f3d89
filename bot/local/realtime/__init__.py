"""OpenAI's Realtime protocol (GA) served by the local models.

A session is a class without a socket (`session.py`): client messages, results of slow work and the time go in, server
messages and jobs come out. `socket.py` is the thin shell around it.

    settings.py      the session object, and what an update may change of it     (shapes.py: what values may be)
    ear.py           the input audio buffer: milliseconds, speech found in it
    items.py         the conversation, and what of it was really heard
    response.py      one response on the wire, in the documented order
    making.py        one response coming into being: words thought up, spoken, functions called
"""
