"""Which tests stay together when several processes share them: those of a file, and all that need a browser."""

from xdist.scheduler import LoadFileScheduling

_PAGES = "tests/browser/"


class ByFile(LoadFileScheduling):
    """A file's tests run in one process, in their order, so that what a module sets up is set up once.

    One process takes all files of pages: a browser is as heavy as the models are.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _PAGES if nodeid.startswith(_PAGES) else super()._split_scope(nodeid)
