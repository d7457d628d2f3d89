"""One past call as people read it: what its page and its files show, made of what the call log holds. No I/O."""
