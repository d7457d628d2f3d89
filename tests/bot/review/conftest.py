from tests.bot.calllog.conftest import postgres, url

__all__ = ["postgres", "url"]
