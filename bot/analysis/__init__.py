"""After the call: recordings into text, whole and with times and speakers, and what a text model makes of them."""
