"""The simulated platform as tests and the control API use it: everything a person can do with a WeChat account."""

import hashlib
import secrets
from collections.abc import Mapping

from bot.simulator import pushes
from bot.simulator.bubbles import Link
from bot.simulator.core import PlatformCore
from bot.simulator.envelope import Sealed
from bot.simulator.errors import NotOnScreen
from bot.simulator.followers import start_following, stop_following
from bot.simulator.menus import Button
from bot.simulator.models import Attempt, Exchange, Follower

AMR_HEADER = b"#!AMR\n"
MP4_HEADER = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


class SimulatedPlatform(PlatformCore):
    """One account on the platform, seen from its followers' phones.

    Every action delivers a callback and returns its Exchange once the platform has an answer or has given up. What
    the account sends later is in ``seen`` and is awaited with ``wait_for``.
    """

    def add_follower(
        self, nickname: str = "测试职工", *, subscribed: bool = True, openid: str = "", scene: str = ""
    ) -> Follower:
        """Add a WeChat user. ``subscribed`` makes a follower of them without telling the account."""
        follower = self.followers.add(nickname, openid)
        if subscribed:
            start_following(follower, self.clock.now(), scene)
        self.changed()
        return follower

    async def say(self, openid: str, text: str, *, menu_id: str = "", callback_url: str = "") -> Exchange:
        """Send a text; with ``menu_id`` as a click on a message menu does."""
        return await self.do(openid, pushes.text(text, menu_id), callback_url)

    async def click(self, openid: str, label: str) -> Exchange:
        """Click the newest message-menu item or bizmsgmenu link with this label; raises NotOnScreen."""
        found = self.find_link(openid, label)
        if found is None or not found.sends:
            raise NotOnScreen(label=label)
        return await self.say(openid, found.sends, menu_id=found.menu_id)

    def find_link(self, openid: str, label: str) -> Link | None:
        """Return the newest link in the chat with this label."""
        every = (link for shown in reversed(self.seen(openid)) for link in shown.links)
        return next((link for link in every if link.label == label), None)

    async def tap(
        self,
        openid: str,
        name_or_key: str,
        *,
        scan_result: str = "",
        place: tuple[float, float, str] = (27.7183, 109.1896, "铜仁市碧江区"),
        picture: bytes = b"",
    ) -> Exchange:
        """Tap a button of the published menu; raises NotOnScreen.

        The picture or place that some buttons ask for is sent by ``send_image`` or ``send_location`` afterwards.
        """
        button = self.menu.find(name_or_key) if self.menu else None
        if button is None or self.menu is None:
            raise NotOnScreen(label=name_or_key)
        return await self.do(openid, _menu_push(button, self.menu.menu_id, scan_result, place, picture))

    async def follow(self, openid: str, scene: str = "") -> Exchange:
        """Follow the account, by a scene QR code if ``scene`` is given."""
        start_following(self.followers.get(openid), self.clock.now(), scene)
        self.changed()
        return await self.do(openid, pushes.follow(scene, self.ticket(scene) if scene else ""))

    async def unfollow(self, openid: str) -> Exchange:
        """Stop following; the conversation stays on the phone, nothing more arrives."""
        stop_following(self.followers.get(openid))
        self._allowances.pop(openid, None)
        self.changed()
        return await self.do(openid, pushes.unfollow())

    async def scan(self, openid: str, scene: str) -> Exchange:
        """Scan a scene QR code: it makes a follower of somebody who is none yet."""
        if not self.followers.get(openid).subscribed:
            return await self.follow(openid, scene)
        return await self.do(openid, pushes.scan(scene, self.ticket(scene)))

    async def send_image(self, openid: str, data: bytes) -> Exchange:
        """Send a picture; its media id expires after three days like any incoming one."""
        media_id = self.media.keep("image", data, self.clock.now()).media_id
        return await self.do(openid, pushes.image(media_id, f"{self.base_url}/mmbiz_pic/{media_id}/0"))

    async def send_voice(self, openid: str, transcript: str, *, recognised: bool = False) -> Exchange:
        """Send a voice message. The stored AMR holds ``transcript`` after its header, for a pretended recogniser.

        The platform itself recognises nothing any more; ``recognised`` brings the old Recognition field back.
        """
        now, data = self.clock.now(), AMR_HEADER + transcript.encode("utf-8", "replace")
        narrow, wide = (self.media.keep("voice", data, now).media_id for _ in range(2))
        return await self.do(openid, pushes.voice(narrow, wide, transcript, recognised=recognised))

    async def send_video(self, openid: str, *, short: bool = False) -> Exchange:
        """Send a video of no content."""
        now = self.clock.now()
        video, thumb = (self.media.keep(kind, MP4_HEADER, now).media_id for kind in ("video", "thumb"))
        return await self.do(openid, pushes.video(video, thumb, short=short))

    async def send_location(self, openid: str, latitude: float, longitude: float, label: str) -> Exchange:
        """Send a place."""
        return await self.do(openid, pushes.location(latitude, longitude, label))

    async def send_link(self, openid: str, title: str, description: str, url: str) -> Exchange:
        """Send a web page from the favourites."""
        return await self.do(openid, pushes.link(title, description, url))

    async def answer_opt_in(self, openid: str, answers: Mapping[str, bool], messages: int = 1) -> Exchange:
        """Answer a request for subscribe notifications; each accepted template gains ``messages`` of them."""
        follower = self.followers.get(openid)
        for template_id, accepted in answers.items():
            if accepted:
                follower.opt_ins[template_id] = follower.opt_ins.get(template_id, 0) + messages
        return await self.do(openid, pushes.subscribe_answered(answers))

    def ticket(self, scene: str) -> str:
        """Return the ticket of a scene's QR code, the same one for the same scene."""
        known = {value: ticket for ticket, value in self.scenes.items()}
        ticket = known.get(scene) or f"gQ{secrets.token_urlsafe(60)}"
        self.scenes[ticket] = scene
        return ticket

    async def verify_callback(self, callback_url: str = "") -> bool:
        """Check the callback URL as the console's settings page does."""
        return await self.callbacks.verify(self._url(callback_url))

    def seal(self, xml: str, openid: str = "") -> Sealed:
        """Return any XML signed and encrypted as the platform does, for ``post`` to send as it is or spoiled."""
        timestamp_s = int(self.clock.base.now().timestamp())
        return self.callbacks.envelope.seal_xml(xml, timestamp_s, openid, self.config.account_id)

    async def post(self, query: Mapping[str, str], body: bytes, callback_url: str = "") -> Attempt:
        """Post any query and body once; the answer is returned unjudged."""
        return await self.callbacks.post(Sealed(dict(query), body), self._url(callback_url))


def _menu_push(
    button: Button, menu_id: str, scan_result: str, place: tuple[float, float, str], picture: bytes
) -> pushes.Push:
    match button.kind:
        case "view":
            return pushes.view(button.url, button.name, menu_id)
        case "miniprogram":
            return pushes.view_mini_program(button.page_path, button.name, menu_id)
        case "scancode_push" | "scancode_waitmsg":
            return pushes.scan_code(button.key, button.name, scan_result, wait=button.kind == "scancode_waitmsg")
        case "pic_sysphoto" | "pic_photo_or_album" | "pic_weixin":
            md5_sums = [hashlib.md5(picture, usedforsecurity=False).hexdigest()]
            return pushes.picture_chosen(button.kind, button.key, button.name, md5_sums)
        case "location_select":
            return pushes.location_chosen(button.key, button.name, *place)
        case _:
            return pushes.click(button.key, button.name)
