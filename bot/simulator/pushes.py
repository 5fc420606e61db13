"""What a follower can do that the platform tells the account about: one function per message or event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.simulator.allowances import Grant

#: A list repeats its element's tag.
XmlValue: TypeAlias = "str | int | float | Mapping[str, XmlValue] | Sequence[XmlValue]"


@dataclass(frozen=True, slots=True)
class Push:
    """A message or event without its address, time and id.

    ``said`` is what the follower's side of the chat shows (``said_kind`` how); empty shows nothing. ``grant`` is
    the customer-message allowance it opens. ``notice`` says whether a missing or broken answer is shown to the
    follower, which the platform does for what the follower did on purpose in the chat.
    """

    msg_type: str
    fields: Mapping[str, XmlValue]
    said: str = ""
    said_kind: str = "text"
    media_id: str = ""
    grant: Grant | None = None
    notice: bool = True

    @property
    def is_event(self) -> bool:
        """Events carry no MsgId."""
        return self.msg_type == "event"


def text(content: str, menu_id: str = "") -> Push:
    """A typed text, or with ``menu_id`` a click on a message menu or a bizmsgmenu link."""
    if not menu_id:
        return Push("text", {"Content": content}, said=content, grant=Grant.MESSAGE)
    # The click is pushed as a text, yet it opens only the smaller allowance of a menu tap.
    return Push("text", {"Content": content, "bizmsgmenuid": menu_id}, said=content, grant=Grant.TAP)


def image(media_id: str, picture_url: str) -> Push:
    """A picture; ``media_id`` is already in the media store."""
    return Push(
        "image", {"PicUrl": picture_url, "MediaId": media_id}, "[图片]", "image", media_id, grant=Grant.MESSAGE
    )


def voice(media_id: str, media_id_16k: str, transcript: str = "", *, recognised: bool = False) -> Push:
    """A voice message. ``transcript`` is for the chat page; the account gets it only when ``recognised``."""
    fields: dict[str, XmlValue] = {"MediaId": media_id, "Format": "amr", "MediaId16K": media_id_16k}
    if recognised:
        fields["Recognition"] = transcript
    return Push("voice", fields, transcript or "[语音]", "voice", media_id, grant=Grant.MESSAGE)


def video(media_id: str, thumb_media_id: str, *, short: bool = False) -> Push:
    """A video, or a short one taken in the chat."""
    msg_type = "shortvideo" if short else "video"
    fields = {"MediaId": media_id, "ThumbMediaId": thumb_media_id}
    return Push(msg_type, fields, "[视频]", "video", media_id, grant=Grant.MESSAGE)


def location(latitude: float, longitude: float, label: str, scale: int = 16) -> Push:
    """A place sent from the “+” panel."""
    fields: dict[str, XmlValue] = {"Location_X": latitude, "Location_Y": longitude, "Scale": scale, "Label": label}
    return Push("location", fields, label, "location", grant=Grant.MESSAGE)


def link(title: str, description: str, url: str) -> Push:
    """A web page shared from the follower's favourites."""
    fields = {"Title": title, "Description": description, "Url": url}
    return Push("link", fields, title, "link", grant=Grant.MESSAGE)


def follow(scene: str = "", ticket: str = "") -> Push:
    """The follower starts to follow, by a scene QR code if ``scene`` is given."""
    fields = {"EventKey": f"qrscene_{scene}", "Ticket": ticket} if scene else {"EventKey": ""}
    return _event("subscribe", fields, "关注了公众号", grant=Grant.TAP)


def unfollow() -> Push:
    """The follower leaves; nothing can be shown to them afterwards."""
    return _event("unsubscribe", {"EventKey": ""}, "取消了关注", notice=False)


def scan(scene: str, ticket: str) -> Push:
    """Somebody who already follows scans a scene QR code."""
    return _event("SCAN", {"EventKey": scene, "Ticket": ticket}, "扫描了二维码", grant=Grant.TAP)


def click(key: str, label: str) -> Push:
    """A tap on a menu button of type click."""
    return _event("CLICK", {"EventKey": key}, f"点了菜单“{label}”", grant=Grant.TAP)


def view(url: str, label: str, menu_id: str) -> Push:
    """A tap on a menu button that opens a page; it opens no allowance."""
    fields = {"EventKey": url, "MenuId": menu_id}
    return _event("VIEW", fields, f"点了菜单“{label}”", notice=False)


def view_mini_program(page_path: str, label: str, menu_id: str) -> Push:
    """A tap on a menu button that opens a mini program."""
    fields = {"EventKey": page_path, "MenuId": menu_id}
    return _event("view_miniprogram", fields, f"点了菜单“{label}”", notice=False)


def scan_code(key: str, label: str, result: str, *, wait: bool) -> Push:
    """A menu button opened the scanner, which read ``result``."""
    fields: dict[str, XmlValue] = {"EventKey": key, "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": result}}
    return _event("scancode_waitmsg" if wait else "scancode_push", fields, f"点了菜单“{label}”", grant=Grant.TAP)


def picture_chosen(kind: str, key: str, label: str, md5_sums: Sequence[str]) -> Push:
    """A menu button of ``kind`` (pic_sysphoto …) opened the album; the pictures follow as image messages."""
    items = [{"PicMd5Sum": md5} for md5 in md5_sums]
    info: dict[str, XmlValue] = {"Count": len(items), "PicList": {"item": items}}
    return _event(kind, {"EventKey": key, "SendPicsInfo": info}, f"点了菜单“{label}”", notice=False)


def location_chosen(key: str, label: str, latitude: float, longitude: float, place: str) -> Push:
    """A menu button opened the map; the place follows as a location message."""
    info: dict[str, XmlValue] = {
        "Location_X": f"{latitude}",
        "Location_Y": f"{longitude}",
        "Scale": "16",
        "Label": place,
        "Poiname": "",
    }
    fields: dict[str, XmlValue] = {"EventKey": key, "SendLocationInfo": info}
    return _event("location_select", fields, f"点了菜单“{label}”", notice=False)


def position_reported(latitude: float, longitude: float, precision: float = 30.0) -> Push:
    """The client reports where the follower is, on entering the chat."""
    fields: dict[str, XmlValue] = {"Latitude": latitude, "Longitude": longitude, "Precision": precision}
    return _event("LOCATION", fields, notice=False)


def template_finished(msg_id: int, status: str) -> Push:
    """A template message arrived (``success``) or did not (``failed:user block`` …)."""
    return _event("TEMPLATESENDJOBFINISH", {"MsgID": msg_id, "Status": status}, notice=False)


def mass_finished(msg_id: int, status: str, counts: Mapping[str, int]) -> Push:
    """A mass send is over; ``counts`` holds TotalCount, FilterCount, SentCount and ErrorCount."""
    fields: dict[str, XmlValue] = {"MsgID": msg_id, "Status": status, **counts}
    return _event("MASSSENDJOBFINISH", fields, notice=False)


def publish_finished(
    publish_id: int, status: int, article_id: str, urls: Sequence[str], failed: Sequence[int]
) -> Push:
    """A publication is over (``status`` 0), was refused (2, 3, 4), or was deleted or banned later (5, 6)."""
    info: dict[str, XmlValue] = {"publish_id": publish_id, "publish_status": int(status)}
    if article_id:
        items: list[XmlValue] = [{"idx": place, "article_url": url} for place, url in enumerate(urls, start=1)]
        info |= {"article_id": article_id, "article_detail": {"count": len(items), "item": items}}
    if failed:
        info["fail_idx"] = [*failed]
    return _event("PUBLISHJOBFINISH", {"PublishEventInfo": info}, notice=False)


def subscribe_answered(answers: Mapping[str, bool]) -> Push:
    """The follower accepted or refused subscribe notifications, by template id."""
    items = [
        {"TemplateId": template_id, "SubscribeStatusString": _verdict(accepted), "PopupScene": "1"}
        for template_id, accepted in answers.items()
    ]
    fields = {"SubscribeMsgPopupEvent": {"List": items}}
    return _event("subscribe_msg_popup_event", fields, "答复了订阅通知的授权", notice=False)


def subscribe_revoked(template_id: str) -> Push:
    """The follower switched a subscribe notification off in the settings."""
    items = [{"TemplateId": template_id, "SubscribeStatusString": "reject"}]
    fields = {"SubscribeMsgChangeEvent": {"List": items}}
    return _event("subscribe_msg_change_event", fields, "关闭了订阅通知", notice=False)


def subscribe_sent(template_id: str, msg_id: int, error_code: int = 0) -> Push:
    """A subscribe notification was handed over."""
    item: dict[str, XmlValue] = {
        "TemplateId": template_id,
        "MsgID": msg_id,
        "ErrorCode": error_code,
        "ErrorStatus": "success" if error_code == 0 else "failed",
    }
    return _event("subscribe_msg_sent_event", {"SubscribeMsgSentEvent": {"List": [item]}}, notice=False)


def authorization_revoked(app_id: str, openid: str) -> Push:
    """The follower withdrew the authorisation for personal data."""
    fields = {"OpenID": openid, "AppID": app_id, "RevokeInfo": "1"}
    return _event("user_authorization_revoke", fields, "撤回了授权", notice=False)


def anything(
    msg_type: str, fields: Mapping[str, XmlValue], said: str = "", grant: Grant | None = None, *, notice: bool = True
) -> Push:
    """A message or event the simulator has no name for."""
    return Push(msg_type, dict(fields), said, "event" if msg_type == "event" else "text", grant=grant, notice=notice)


def _event(
    name: str, fields: Mapping[str, XmlValue], said: str = "", *, grant: Grant | None = None, notice: bool = True
) -> Push:
    return Push("event", {"Event": name, **fields}, said, "event", grant=grant, notice=notice)


def _verdict(accepted: bool) -> str:
    return "accept" if accepted else "reject"
