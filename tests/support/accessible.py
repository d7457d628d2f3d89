"""What axe-core finds wrong on a page: the rules of WCAG 2.2, A and AA, and its own best practices."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

_AXE = Axe()


async def violations(page: Page) -> list[str]:
    """Each with its rule and the elements it is about; empty where there are none."""
    results = await _AXE.run(page)
    return [
        f"{found['id']} ({found['impact']}): {node['target']} {node['failureSummary']}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]
