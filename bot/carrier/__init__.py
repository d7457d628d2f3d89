"""Telephony providers: how each asks, how we answer, its media stream, its REST control, its signature."""
