"""What a voice may do besides talking: built-in tools and the operator's own."""

from bot.tools.spec import ToolContext, ToolSpec
from bot.tools.toolbox import Toolbox

__all__ = ["ToolContext", "ToolSpec", "Toolbox"]
