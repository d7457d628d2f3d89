"""One port, several processes, each call whole in one of them.

A parent (foreman.py) binds the port and starts the workers (worker.py), which all accept from its listening socket:
no two services can share a port by mistake, and a connection that waits is lost with no worker. What the kernel gave
to the wrong worker changes hands (handover.py) before a byte of the answer is sent: a media socket goes to the worker
whose ticket it brings, a call's webhook to the one with the fewest calls (routing.py, balance.py). Who has how many
calls stands in memory that all share (board.py), and the limit on calls is held there.
"""
