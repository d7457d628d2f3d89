"""Reviewing one call in a real browser: hearing it, following it, finding a moment, judging it."""

import asyncio
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from bot.calllog.store import CallLog
from tests.browser.conftest import PHONE, service_of, sign_in, window
from tests.browser.test_look import SMALL_TARGETS
from tests.loopback.test_review_call import NASTY, an_hour
from tests.support import calls, read_aloud
from tests.support.accessible import violations
from tests.support.read_aloud import READ_ALOUD
from tests.support.seeded import BOOKED, HOSTILE
from tests.support.spoken_call import SPOKEN
from tests.support.visitors import VIEWER

HERE = f"/calls/{SPOKEN}"
CURRENT = ".turn[aria-current]"
TIME = "() => document.getElementById('audio').currentTime"
PLACE_OF_WORD = """([turn, word]) => {
    const heard = document.querySelectorAll(".turn .heard")[turn];
    const nodes = document.createTreeWalker(heard, NodeFilter.SHOW_TEXT);
    let at = heard.textContent.indexOf(word);
    let node = nodes.nextNode();
    for (; at >= node.data.length; node = nodes.nextNode()) at -= node.data.length;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const box = range.getBoundingClientRect();
    return [box.left + box.width * 0.75, box.top + box.height / 2];
}"""


async def is_ready(page: Page) -> None:
    await page.wait_for_function("() => document.getElementById('audio').readyState > 0")


async def seconds(page: Page) -> float:
    return float(await page.evaluate(TIME))


async def word_times(page: Page, call_id: str) -> list[list[dict[str, int]]]:
    """Each turn's, once the page has them."""
    has_words = page.locator("#said[data-has-words]")
    await expect(has_words).to_be_attached(timeout=180_000)  # what finds them gives way to all else on the machine
    answer = await page.request.get(f"/api/calls/{call_id}/words")
    return [turn["words"] for turn in (await answer.json())["turns"]]


async def click_on_word(page: Page, turn: int, word: str) -> None:
    """At its first letters, wherever it stands."""
    await page.locator(".turn").nth(turn).scroll_into_view_if_needed()
    x, y = await page.evaluate(PLACE_OF_WORD, [turn, word])
    await page.mouse.click(x, y)


def turn(page: Page, words: str) -> Locator:
    return page.locator(".turn", has_text=words)


async def test_the_transcript_follows_the_sound(admin):
    """The page itself writes down what stood out when: whoever looks from here comes too late on a busy machine."""
    await admin.goto(HERE)
    await is_ready(admin)
    await word_times(admin, SPOKEN)
    await admin.evaluate(WRITE_DOWN)
    await admin.get_by_role("button", name="Play", exact=True).click()
    await admin.wait_for_function("() => followed.length > 2")
    await admin.get_by_label("Speed").select_option("2")
    await admin.wait_for_function("() => followed.some(({ text }) => text.includes('move my appointment'))")
    assert await admin.evaluate("document.getElementById('audio').playbackRate") == 2
    await admin.get_by_role("button", name="Pause", exact=True).click()
    stopped_at = await seconds(admin)
    assert await seconds(admin) == stopped_at
    shown = await admin.locator("#clock").inner_text()
    assert abs(float(shown.partition(":")[2]) - stopped_at) < 0.3
    followed = await admin.evaluate("followed")
    assert followed[0]["text"].startswith("Thank you for calling")
    assert [(one["turn"], one["word"]) for one in followed] == sorted((one["turn"], one["word"]) for one in followed)
    for one in followed:
        assert one["from"] - 0.1 < one["at"] < one["to"] + 0.1


async def test_a_click_on_a_word_plays_from_there(admin):
    await admin.goto(HERE)
    await is_ready(admin)
    words = await word_times(admin, SPOKEN)
    said = turn(admin, "half past nine")
    text = await said.locator(".heard").inner_text()
    at_s = next(word["from_ms"] for word in words[2] if word["letter"] == text.index("Thursday")) / 1000
    await click_on_word(admin, 2, "Thursday")
    assert abs(await seconds(admin) - at_s) < 0.05
    await expect(admin.locator(".word.now")).to_have_text("Thursday")
    await admin.keyboard.press("Space")
    await admin.wait_for_function(f"{TIME} > {at_s + 0.3}")


async def test_a_click_leads_to_where_people_said_the_word(chromium, fresh, complaints, tmp_path):
    path = tmp_path / "recordings" / "read.wav"
    log = await CallLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    for record in read_aloud.records(datetime.now(UTC), path, read_aloud.write_recording(path)):
        log.write(record)
    await log.close()
    async with window(chromium, fresh.url, complaints) as page:
        await sign_in(page, VIEWER)
        await page.goto(f"/calls/{READ_ALOUD}#t=11.5&word=1.36")  # a hit in the middle of the second turn
        await is_ready(page)
        await word_times(page, READ_ALOUD)
        said = read_aloud.turns()[1]
        assert abs(await seconds(page) - said.readings[1].begin_ms / 1000) < 0.25
        for at, read in enumerate(read_aloud.turns()):
            for reading in read.readings:
                await click_on_word(page, at, read.text[reading.letter :])
                assert abs(await seconds(page) - reading.begin_ms / 1000) < 0.25
        assert said.text[36:].startswith("Mister")


async def test_what_was_never_heard_is_struck_out(admin):
    await admin.goto(HERE)
    said = turn(admin, "half past nine")
    await expect(said.locator("s")).to_have_text(", Friday at two, or Monday morning.")
    await expect(said).to_contain_text("interrupted")


async def test_keys_play_step_and_go_from_turn_to_turn(admin):
    await admin.goto(HERE)
    await is_ready(admin)
    await admin.keyboard.press("ArrowRight")
    assert await seconds(admin) == 5
    await admin.keyboard.press("j")
    await expect(admin.locator(CURRENT)).to_contain_text("half past nine")
    await admin.keyboard.press("k")
    await expect(admin.locator(CURRENT)).to_contain_text("move my appointment")
    await admin.keyboard.press("ArrowLeft")
    assert await seconds(admin) == 0
    await admin.keyboard.press("Space")
    await admin.wait_for_function(f"{TIME} > 0.2")
    await admin.keyboard.press("Space")
    assert await admin.evaluate("document.getElementById('audio').paused")
    await admin.keyboard.press("?")
    await expect(admin.get_by_role("dialog", name="Keys of this page")).to_be_visible()
    await admin.keyboard.press("Escape")
    await admin.get_by_label("Note").press("j")  # in a field a key is a letter
    assert await admin.get_by_label("Note").input_value() == "j"


async def test_the_waveform_is_clicked_dragged_and_moved_by_keys(admin):
    await admin.goto(HERE)
    await is_ready(admin)
    ruler = admin.get_by_role("slider", name="Position in the call")
    box = await ruler.bounding_box()
    assert box is not None
    length = float(await ruler.get_attribute("aria-valuemax") or 0)
    await admin.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    await admin.mouse.down()
    assert abs(await seconds(admin) - length / 2) < 0.1
    await admin.mouse.move(box["x"] + box["width"] / 4, box["y"] + 40)
    await admin.mouse.up()
    assert abs(await seconds(admin) - length / 4) < 0.1
    await ruler.press("Home")
    await ruler.press("PageUp")
    await expect(ruler).to_have_attribute("aria-valuenow", str(length))
    assert await admin.evaluate(IS_DRAWN)


async def test_a_link_leads_to_a_moment(admin):
    await admin.goto(f"{HERE}#t=12.5")
    await is_ready(admin)
    await admin.wait_for_function(f"{TIME} === 12.5")
    await expect(admin.locator("#clock")).to_have_text("0:12.5")
    await admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.keyboard.press("ArrowRight")
    await admin.get_by_role("button", name="Link to this moment").click()
    await expect(admin.get_by_role("status")).to_contain_text("The link to 0:17.5 is copied.")
    copied = await admin.evaluate("navigator.clipboard.readText()")
    assert copied == admin.url
    assert copied.endswith(f"{HERE}#t=17.5")


async def test_the_lanes_are_walked_by_keyboard_and_say_what_happened(admin):
    await admin.goto(HERE)
    tool = admin.get_by_role("group", name="Tools").get_by_role("button").first
    await tool.focus()
    await admin.keyboard.press("Enter")
    inspector = admin.get_by_role("region", name="Details")
    await expect(inspector).to_contain_text("find_appointment")
    await expect(inspector).to_contain_text('"doctor": "Weber"')  # what it gave back
    await admin.keyboard.press("ArrowRight")
    await expect(admin.locator(":focus")).to_have_attribute("aria-label", re.compile("move_appointment$"))
    await admin.keyboard.press("Enter")
    await expect(inspector).to_contain_text("Friday 14:00")
    await inspector.get_by_role("button", name="Close").click()
    await expect(inspector).to_be_hidden()
    lanes = await admin.get_by_role("group").evaluate_all("all => all.map((each) => each.ariaLabel)")
    assert {"Caller", "Bot", "Cut in", "Tools", "Clears", "Trouble", "Keys"} <= set(lanes)


async def test_looking_closer_keeps_the_moment_in_view(admin):
    await admin.goto(f"{HERE}#t=20")
    closer = admin.get_by_role("button", name="Closer")
    for _ in range(2):
        await closer.click()
    width, window_width, left = await admin.evaluate(
        "[document.getElementById('sheet').clientWidth, document.getElementById('tracks').clientWidth,"
        " document.getElementById('tracks').scrollLeft]"
    )
    assert width == 4 * window_width
    length = float(await admin.locator("#player").get_attribute("data-length") or 0) / 1000
    assert left <= 20 / length * width <= left + window_width
    assert await admin.evaluate(IS_DRAWN)
    while await closer.is_enabled():
        await closer.click()
    await admin.evaluate("document.getElementById('tracks').scrollLeft = 1e9")
    lefts = "['tracks', 'wave'].map((name) => document.getElementById(name).getBoundingClientRect().left)"
    frame, drawn = await admin.evaluate(lefts)
    assert abs(frame - drawn) < 1  # what is drawn stays in view up to the end
    further = admin.get_by_role("button", name="Further away")
    while await further.is_enabled():
        await further.click()
    assert await admin.evaluate("document.getElementById('sheet').clientWidth") == window_width


async def test_a_reader_who_scrolls_is_left_alone_until_they_ask(admin):
    await admin.goto(HERE)
    await is_ready(admin)
    await admin.set_viewport_size({"width": 1280, "height": 500})
    frame = admin.locator("#said-window")
    await frame.hover()
    await admin.mouse.wheel(0, 600)
    follow = admin.get_by_role("button", name="Follow the sound")
    await expect(follow).to_be_visible()
    await admin.wait_for_function("() => document.getElementById('said-window').scrollTop > 50")
    scrolled = await frame.evaluate("each => each.scrollTop")
    await admin.keyboard.press("ArrowRight")
    await expect(admin.locator(CURRENT)).to_contain_text("move my appointment")
    assert await frame.evaluate("each => each.scrollTop") == scrolled
    await follow.click()
    await expect(admin.locator(CURRENT)).to_be_in_viewport()
    await expect(follow).to_be_hidden()


async def test_a_verdict_a_note_and_tags_are_saved_at_once_and_stay(chromium, fresh, complaints):
    async with window(chromium, fresh.url, complaints) as page:
        await sign_in(page, VIEWER)
        await page.goto(HERE)
        await page.get_by_role("button", name="Bad", exact=True).click()
        await expect(page.get_by_role("button", name="Bad", exact=True)).to_have_attribute("aria-pressed", "true")
        await page.get_by_label("Note").fill("Offers too many times <b>at once</b>.")
        await page.get_by_role("button", name="Save note").click()
        await expect(page.get_by_role("status")).to_contain_text("The note is saved.")
        await page.get_by_label("New tag").fill("too long")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Take away: too long")).to_be_visible()
        await page.get_by_text("Who said what").click()
        await expect(page.locator("#history li").first).to_contain_text("viewer added the tag: too long")
        await page.reload()
        await expect(page.get_by_role("button", name="Bad", exact=True)).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_label("Note")).to_have_value("Offers too many times <b>at once</b>.")
        await page.get_by_role("button", name="Take away: too long").click()
        await expect(page.get_by_role("button", name="Take away: too long")).to_have_count(0)
        await page.get_by_role("button", name="Bad", exact=True).click()
        await expect(page.locator("[data-verdict][aria-pressed=true]")).to_have_count(0)  # taken back
        await page.reload()
        await expect(page.locator("[data-verdict][aria-pressed=true]")).to_have_count(0)
        await page.get_by_text("Who said what").click()
        said = await page.locator("#history li").all_inner_texts()
        assert [line.partition("viewer ")[2] for line in said] == [
            "judged it: took it back",
            "took away the tag: too long",
            "added the tag: too long",
            "wrote a note: Offers too many times <b>at once</b>.",
            "judged it: Bad",
        ]


async def test_a_message_is_heard_and_marked_as_read(chromium, fresh, complaints):
    async with window(chromium, fresh.url, complaints) as page:
        await sign_in(page)
        await page.goto(f"/calls/{BOOKED}")
        await is_ready(page)
        await page.get_by_role("button", name="Play from 0:09").click()
        await page.wait_for_function(f"{TIME} > 9.1")
        await page.get_by_role("button", name="Mark as read").click()
        await expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()
        await page.reload()
        await expect(page.locator("[data-message] .flag")).to_have_text("Read")


async def test_an_admin_deletes_a_call_and_is_asked_first(chromium, fresh, complaints, tmp_path):
    async with window(chromium, fresh.url, complaints) as page:
        await sign_in(page)
        await page.goto(HERE)
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        assert (tmp_path / "recordings" / f"{SPOKEN}.wav").exists()
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await page.wait_for_url("**/calls")
        assert not list((tmp_path / "recordings").glob(f"{SPOKEN}.*"))
        answer = await page.goto(HERE)
        assert answer is not None
        assert answer.status == 410
        await expect(page.get_by_text("Deleted by admin")).to_be_visible()
        assert await violations(page) == []


async def test_a_viewer_cannot_delete(viewer):
    await viewer.goto(HERE)
    await expect(viewer.get_by_role("button", name="Delete")).to_have_count(0)
    token = await viewer.locator("meta[name=csrf-token]").get_attribute("content")
    origin = viewer.url.partition("/calls")[0]
    refused = await viewer.request.delete(
        f"/api/calls/{SPOKEN}", headers={"X-CSRF-Token": str(token), "Origin": origin}
    )
    assert refused.status == 403
    await viewer.reload()
    await expect(viewer.get_by_role("heading", name="+4420•••0958")).to_be_visible()


async def test_the_zip_opens_offline(chromium, admin, tmp_path, complaints):
    await admin.goto(HERE)
    await admin.get_by_text("Download", exact=True).click()
    async with admin.expect_download() as downloading:
        await admin.get_by_role("link", name="Everything, ZIP that opens offline").click()
    with zipfile.ZipFile(await (await downloading.value).path()) as archive:
        archive.extractall(tmp_path)
    async with window(chromium, "file://", complaints) as page:
        await page.goto(f"file://{tmp_path}/index.html")
        await is_ready(page)
        asked = page.locator(".turn").nth(1)
        await asked.get_by_role("button").click()
        await expect(page.locator(CURRENT)).to_contain_text("move my appointment")
        await page.wait_for_function(f"{TIME} > 4")
        await page.evaluate("() => document.getElementById('audio').pause()")
        word = asked.get_by_text("Thursday")
        await word.click()
        assert abs(await seconds(page) - int(await word.get_attribute("data-seek") or 0) / 1000) < 0.5  # and it plays


async def test_a_call_that_was_not_recorded_is_still_walked(admin):
    await admin.goto(f"/calls/{HOSTILE}")
    await expect(admin.get_by_text("This call was not recorded")).to_be_visible()
    await expect(admin.get_by_role("button", name="Play", exact=True)).to_have_count(0)
    await admin.keyboard.press("Space")
    await admin.keyboard.press("ArrowRight")
    await expect(admin.locator("#clock")).to_have_text("0:05.0")
    await admin.keyboard.press("k")
    await expect(admin.locator(CURRENT)).to_contain_text("<img src=x onerror=alert(1)>")
    assert await admin.locator("img").count() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("call_id", [SPOKEN, HOSTILE])
async def test_axe_finds_nothing_and_it_fits_a_telephone(chromium, url, complaints, call_id, dark):
    async with window(chromium, url, complaints, dark=dark) as page:
        await sign_in(page)
        await page.goto(f"/calls/{call_id}#t=1")
        for name in ("Everything that happened", "What the call ran with", "Who said what"):
            await page.locator("summary", has_text=name).click()
        await page.locator(".lane button").first.click()
        await expect(page.locator("#inspector")).to_be_visible()
        assert await violations(page) == []
        await page.set_viewport_size(PHONE)
        assert await violations(page) == []
        await page.get_by_text("Download", exact=True).click()
        menu = await page.locator(".crumbs .menu-panel").bounding_box()
        assert menu is not None
        assert menu["x"] >= 0
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        too_small = await page.evaluate(SMALL_TARGETS)
        assert [target for target in too_small if "mark-" not in target and "moment" not in target] == []


async def test_the_page_weighs_little_and_is_painted_soon(admin):
    await admin.goto(HERE)
    await is_ready(admin)
    await admin.wait_for_load_state("networkidle")
    weight, painted_ms = await admin.evaluate(WEIGHT_AND_PAINT)
    assert weight < 300_000
    assert painted_ms < 2000  # 0.3 s on an idle machine


async def test_an_hour_of_call_is_quick_to_open_and_walk(chromium, tmp_path, complaints):
    async with service_of(tmp_path) as service:
        await _write_hour(tmp_path)
        async with window(chromium, service.url, complaints) as page:
            await sign_in(page)
            await page.goto("/calls/call-hour#t=1800.5")
            await expect(page.locator(CURRENT)).to_contain_text("in turn 360")
            await page.locator("#said-window").evaluate("each => each.scrollIntoView()")
            await expect(page.locator(CURRENT)).to_be_in_viewport()
            await page.locator("summary", has_text="Everything that happened").click()
            rows = page.locator("#happened-lines tr")
            await expect(rows).to_have_count(100)
            await page.get_by_role("button", name="Show more").click()
            await expect(rows).to_have_count(200)
            await rows.nth(150).get_by_role("button").click()
            assert await page.evaluate(LONGEST_FRAME_MS) < 500
            assert await page.evaluate("document.querySelectorAll('*').length") < 20_000


async def test_words_that_do_not_end_break_nothing(chromium, tmp_path, complaints):
    async with service_of(tmp_path) as service:
        log = await CallLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
        long = NASTY + "w" * 100_000
        log.write(calls.started("call-bad", started_at=datetime.now(UTC), from_number=long[:3000]))
        log.write(calls.turn("call-bad", 0, role="caller", text=long, heard_text=None, ended_ms=900))
        log.write(calls.ended("call-bad", ended_at=datetime.now(UTC)))
        await log.close()
        async with window(chromium, service.url, complaints, size=PHONE) as page:
            await sign_in(page)
            await page.goto("/calls/call-bad#t=0.5")
            await expect(page.locator(CURRENT)).to_contain_text("</script><img src=x onerror=alert(1)>")
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            assert await violations(page) == []


async def _write_hour(folder: Path) -> None:
    log = await CallLog.open(f"sqlite+aiosqlite:///{folder}/log.db")
    try:
        for record in an_hour("call-hour"):
            log.write(record)
    finally:
        await asyncio.wait_for(log.close(), 30)


WRITE_DOWN = """() => {
    window.followed = [];
    const turns = [...document.querySelectorAll(".turn")];
    const look = () => {
        const turn = document.querySelector(".turn[aria-current]");
        const words = turn ? [...turn.querySelectorAll(".word")] : [];
        const word = words.findIndex((each) => each.classList.contains("now"));
        if (word < 0) return;
        const [from, to] = [turn.dataset.from / 1000, turn.dataset.to / 1000];
        const text = turn.querySelector(".heard").textContent;
        const at = document.getElementById("audio").currentTime;
        followed.push({ at, turn: turns.indexOf(turn), word, text, from, to });
    };
    const changes = { subtree: true, attributes: true, attributeFilter: ["class"] };
    new MutationObserver(look).observe(turns[0].parentElement, changes);
}"""
IS_DRAWN = """() => {
    const canvas = document.getElementById("wave");
    const pixels = canvas.getContext("2d").getImageData(0, canvas.height / 3, canvas.width, canvas.height / 2).data;
    return pixels.filter((value, at) => at % 4 === 3 && value > 60).length > 1000;
}"""
WEIGHT_AND_PAINT = """() => {
    const loaded = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
    const silent = loaded.filter(({ name }) => !name.endsWith(".wav"));
    const weight = silent.reduce((sum, each) => sum + each.transferSize, 0);
    return [weight, performance.getEntriesByName("first-contentful-paint")[0].startTime];
}"""
LONGEST_FRAME_MS = """() => new Promise((resolve) => {
    let [last, longest, left] = [performance.now(), 0, 30];
    const step = (now) => {
        longest = Math.max(longest, now - last);
        last = now;
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
        if (left-- > 0) requestAnimationFrame(step);
        else resolve(longest);
    };
    requestAnimationFrame(step);
})"""
