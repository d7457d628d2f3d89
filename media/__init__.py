"""Sound and arithmetic: codecs, resampling, playout, endpointing, recording. No network, no event loop, no call."""
