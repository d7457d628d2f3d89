"""The links of a chained voice: transcribers, responders, speakers."""
