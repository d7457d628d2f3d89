from bot.analysis.business_names import names_of
from bot.config import BotConfig, ChainedConfig, FactConfig


def test_keywords_and_proper_names_in_answers_are_names():
    bot = BotConfig(
        name="reception",
        chained=ChainedConfig(keywords=("Offhook", "Zoë")),
        facts=(
            FactConfig(ask=("Who?",), answer="We are Millbrook Bicycles, at 12 Water Lane. Ask for Zoë or I'm sorry."),
            FactConfig(ask=("When?",), answer="Open Monday to Saturday. Brompton's best shop. Saturdays too."),
        ),
    )
    assert names_of([bot]) == ["Offhook", "Zoë", "Millbrook Bicycles", "Water Lane"]


def test_without_bots_there_are_none():
    assert names_of([]) == []
