"""Every recorded delivery becomes its typed value."""

from datetime import datetime
from typing import Any

import pytest

from bot.values.clock import LOCAL_ZONE
from bot.wechat.errors import Malformed
from bot.wechat.models import (
    AccountNotice,
    ArticleUrl,
    AuthorizationChanged,
    CopyrightCheckResult,
    CopyrightItem,
    Followed,
    ImageMessage,
    Inbound,
    KfSession,
    LinkMessage,
    LocationChosen,
    LocationMessage,
    LocationReported,
    MassJobFinished,
    MenuClicked,
    MenuViewed,
    MiniProgramViewed,
    PicturesChosen,
    PublishJobFinished,
    ScanCode,
    Scanned,
    SubscribeDecided,
    SubscribeDecision,
    SubscribeOutcome,
    SubscribeSent,
    TemplateJobFinished,
    TextMessage,
    Unfollowed,
    UnknownEvent,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)
from bot.wechat.parser import read_inbound
from bot.wechat.xml_tree import read_tree
from tests.wechat.conftest import PAYLOADS, payload

OPENID = "oXbF21AbCdEfGhIjKlMnOpQrStU0"
MD5_SUMS = ("1b5f7c23b5bf75682a53e7b6d163e185", "5a75aaca956d97be686719218f275c6b")
ORIGINAL_1 = CopyrightItem(1, 0, 2, "https://mp.weixin.qq.com/s/o1", 1, True, True, True)
ORIGINAL_2 = CopyrightItem(2, 0, 11, "https://mp.weixin.qq.com/s/o2", 1, False, True, True)

CASES: dict[str, tuple[type[Inbound], dict[str, Any]]] = {
    "text": (TextMessage, {"content": "我想给孩子报名勤工俭学", "menu_id": None, "article_id": None}),
    "text_menu_choice": (TextMessage, {"content": "女职工健康筛查", "menu_id": "service.health_screening"}),
    "text_from_article": (TextMessage, {"article_id": "2247483699", "article_index": 2}),
    "image": (
        ImageMessage,
        {"media_id": "XYL-KRb2bd2p0v3aV0cGuE", "pic_url": "http://mmbiz.qpic.cn/mmbiz_jpg/abc/0"},
    ),
    "voice": (
        VoiceMessage,
        {"media_id": "voice-8k", "media_id_16k": "voice-16k", "format": "amr", "recognition": None},
    ),
    "voice_recognized": (VoiceMessage, {"media_id_16k": None, "format": "speex", "recognition": "我要报名"}),
    "video": (VideoMessage, {"media_id": "video-1", "thumb_media_id": "thumb-1", "short": False}),
    "shortvideo": (VideoMessage, {"media_id": "video-2", "thumb_media_id": "thumb-2", "short": True}),
    "location": (
        LocationMessage,
        {"latitude": 27.731514, "longitude": 109.189598, "scale": "15", "label": "贵州省铜仁市碧江区"},
    ),
    "link": (LinkMessage, {"title": "工会法", "description": "全文", "url": "https://example.com/law"}),
    "unknown_message": (UnknownMessage, {"kind": "merged_chat", "msg_id": 24918273645546372}),
    "subscribe": (Followed, {"scene": None, "ticket": None}),
    "subscribe_scene": (Followed, {"scene": "site-07", "ticket": "gQH47joAAAAA"}),
    "unsubscribe": (Unfollowed, {"event": "unsubscribe"}),
    "scan": (Scanned, {"scene": "site-07", "ticket": "gQH47joAAAAA", "event": "scan"}),
    "location_report": (
        LocationReported,
        {"latitude": 27.731514, "longitude": 109.189598, "precision": 119.38504},
    ),
    "click": (MenuClicked, {"key": "menu.work_study"}),
    "view": (MenuViewed, {"url": "https://example.com/guide", "menu_id": "412345678"}),
    "view_miniprogram": (MiniProgramViewed, {"page_path": "pages/index/index", "menu_id": "412345678"}),
    "scancode_push": (
        ScanCode,
        {"kind": "push", "key": "menu.scan", "scan_type": "qrcode", "result": "https://example.com/q?id=1"},
    ),
    "scancode_waitmsg": (ScanCode, {"kind": "waitmsg", "result": "https://example.com/q?id=1"}),
    "pic_sysphoto": (PicturesChosen, {"kind": "sysphoto", "count": 1, "md5_sums": MD5_SUMS[:1]}),
    "pic_photo_or_album": (PicturesChosen, {"kind": "photo_or_album", "count": 2, "md5_sums": MD5_SUMS}),
    "pic_weixin": (PicturesChosen, {"kind": "weixin", "key": "menu.photo", "count": 0, "md5_sums": ()}),
    "location_select": (
        LocationChosen,
        {"latitude": 27.7, "longitude": 109.2, "scale": "16", "label": "铜仁市民族风情园", "poi_name": ""},
    ),
    "template_job_success": (TemplateJobFinished, {"msg_id": 200163836, "status": "success", "delivered": True}),
    "template_job_blocked": (TemplateJobFinished, {"status": "failed:user block", "delivered": False}),
    "mass_job": (
        MassJobFinished,
        {
            "openid": "mphelper",
            "msg_id": 1000001625,
            "status": "send success",
            "error_number": None,
            "total_count": 620000,
            "filter_count": 610000,
            "sent_count": 609990,
            "error_count": 10,
            "copyright": CopyrightCheckResult(2, (ORIGINAL_1, ORIGINAL_2)),
            "article_urls": (ArticleUrl(1, "https://mp.weixin.qq.com/s/a1"),),
        },
    ),
    "mass_job_refused": (
        MassJobFinished,
        {"error_number": 20013, "copyright": CopyrightCheckResult(0, ()), "article_urls": ()},
    ),
    "publish_job": (
        PublishJobFinished,
        {
            "publish_id": "2247503051",
            "status": 0,
            "article_id": "b5O2OUs25HBxRceL",
            "article_urls": (ArticleUrl(1, "https://mp.weixin.qq.com/s/p1"),),
            "failed_indexes": (),
        },
    ),
    "publish_job_failed": (PublishJobFinished, {"status": 2, "article_id": None, "failed_indexes": (1, 2)}),
    "subscribe_msg_popup": (
        SubscribeDecided,
        {
            "items": (SubscribeDecision("tmpl-a", True, "article"), SubscribeDecision("tmpl-b", False, "h5")),
            "changed": False,
        },
    ),
    "subscribe_msg_change": (
        SubscribeDecided,
        {"items": (SubscribeDecision("tmpl-a", False, None),), "changed": True},
    ),
    "subscribe_msg_sent": (
        SubscribeSent,
        {"items": (SubscribeOutcome("tmpl-a", "1864323726461255680", 0, "success"),)},
    ),
    "user_info_modified": (AuthorizationChanged, {"kind": "modified", "subject": OPENID, "revoke_info": "1"}),
    "user_authorization_revoke": (
        AuthorizationChanged,
        {"kind": "revoked", "union_id": "o6_bmasdasdsad6_2sgVt7hMZOPfL", "revoke_info": "301"},
    ),
    "user_authorization_cancellation": (
        AuthorizationChanged,
        {"kind": "cancelled", "app_id": "wx13579bdf02468ace", "union_id": None},
    ),
    "kf_create_session": (KfSession, {"kind": "created", "kf_account": "lawyer1@tongren", "from_account": None}),
    "kf_close_session": (KfSession, {"kind": "closed", "kf_account": "lawyer1@tongren"}),
    "kf_switch_session": (
        KfSession,
        {"kind": "switched", "kf_account": "lawyer2@tongren", "from_account": "lawyer1@tongren"},
    ),
    "qualification_verify_success": (
        AccountNotice,
        {"kind": "qualification_verify_success", "expires_s": 1826812800},
    ),
    "qualification_verify_fail": (
        AccountNotice,
        {"kind": "qualification_verify_fail", "expires_s": None, "failed_s": 1795276700, "reason": "by time"},
    ),
    "naming_verify_success": (AccountNotice, {"kind": "naming_verify_success"}),
    "naming_verify_fail": (AccountNotice, {"kind": "naming_verify_fail", "reason": "by time"}),
    "annual_renew": (AccountNotice, {"kind": "annual_renew", "expires_s": 1826812800}),
    "verify_expired": (AccountNotice, {"kind": "verify_expired", "expires_s": 1826812800}),
    "unknown_event": (UnknownEvent, {"event": "brand_new_event"}),
}


def read(xml: str) -> Inbound:
    return read_inbound(read_tree(xml.encode()))


@pytest.mark.parametrize("name", CASES)
def test_payload_becomes_its_value(name: str) -> None:
    value = read(payload(name))
    kind, fields = CASES[name]
    assert type(value) is kind
    assert {field: getattr(value, field) for field in fields} == fields


def test_every_payload_has_a_case() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.xml")} == set(CASES)


def test_common_fields() -> None:
    value = read(payload("text"))
    assert (value.openid, value.account, value.created_s) == (OPENID, "gh_5b1d2c3e4f60", 1795276800)
    assert value.created_at == datetime(2026, 11, 22, 0, 0, tzinfo=LOCAL_ZONE)
    assert value.raw["MsgType"] == "text"


@pytest.mark.parametrize("name", [name for name, (kind, _) in CASES.items() if "event" in kind.__dataclass_fields__])
def test_event_names_are_read_in_any_case(name: str) -> None:
    xml = payload(name)
    event = xml.split("<Event><![CDATA[")[1].split("]]")[0]
    assert type(read(xml.replace(f"[{event}]", f"[{event.swapcase()}]", 1))) is CASES[name][0]


def test_single_list_entry_and_item_list_are_read_alike() -> None:
    one = "<List><TemplateId>a</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    item = one.replace("<List>", "<List><item>").replace("</List>", "</item></List>")
    for entries in (one, item):
        xml = payload("subscribe_msg_change")
        before, after = xml.split("<List>")[0], xml.split("</List>")[1]
        value = read(before + entries + after)
        assert isinstance(value, SubscribeDecided)
        assert value.items == (SubscribeDecision("a", True, None),)


def test_control_characters_in_a_text_are_dropped() -> None:
    value = read(payload("text").replace("我想", "我\x00\x08\x1f想"))
    assert isinstance(value, TextMessage)
    assert value.content == "我想给孩子报名勤工俭学"


def test_content_keeps_blanks_and_what_looks_like_markup() -> None:
    value = read(payload("text").replace("我想给孩子报名勤工俭学", " <!DOCTYPE a> &amp; \n"))
    assert isinstance(value, TextMessage)
    assert value.content == " <!DOCTYPE a> &amp; \n"


def test_an_empty_text_is_a_text() -> None:
    value = read(payload("text").replace("我想给孩子报名勤工俭学", ""))
    assert isinstance(value, TextMessage)
    assert value.content == ""


def test_repr_holds_nothing_personal() -> None:
    assert repr(read(payload("text"))) == "TextMessage(m:24918273645546372)"
    assert OPENID not in repr(read(payload("click")))


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("text", "<CreateTime>1795276800", "<CreateTime>soon", "CreateTime"),
        ("text", "<CreateTime>1795276800", "<CreateTime>99999999999999", "CreateTime"),
        ("text", "[oXbF21AbCdEfGhIjKlMnOpQrStU0]", "[ ]", "FromUserName"),
        ("text", "<MsgId>24918273645546372", "<MsgId>１２", "MsgId"),
        ("text", "<MsgType><![CDATA[text]]></MsgType>", "", "MsgType"),
        ("text", "<MsgType>", "<MsgType>a</MsgType><MsgType>", "MsgType"),
        ("image", "XYL-KRb2bd2p0v3aV0cGuE", "", "MediaId"),
        ("location", "27.731514", "nan", "Location_X"),
        ("location", "27.731514", "1_0", "Location_X"),
        ("click", "<Event><![CDATA[CLICK]]></Event>", "", "Event"),
        (
            "scancode_push",
            "<ScanType><![CDATA[qrcode]]></ScanType>",
            "<ScanType><a/></ScanType>",
            "ScanCodeInfo/ScanType",
        ),
        ("publish_job", "<publish_status>0", "<publish_status>x", "PublishEventInfo/publish_status"),
        ("subscribe_msg_sent", "<List>", "<List>x</List><List>", "SubscribeMsgSentEvent/List"),
    ],
)
def test_what_a_delivery_consists_of_must_be_there(name: str, old: str, new: str, reason: str) -> None:
    xml = payload(name)
    assert old in xml
    with pytest.raises(Malformed) as refused:
        read(xml.replace(old, new))
    assert refused.value.reason == reason


class TestDeliveryKey:
    def test_a_message_is_known_by_its_id(self) -> None:
        assert read(payload("text")).delivery_key == "m:24918273645546372"

    def test_a_message_without_id_is_known_by_its_content(self) -> None:
        xml = payload("text").replace("<MsgId>24918273645546372</MsgId>", "")
        assert read(xml).delivery_key == read(xml).delivery_key
        assert read(xml).delivery_key != read(xml.replace("报名", "退出")).delivery_key

    def test_an_event_is_known_by_follower_second_name_and_key(self) -> None:
        xml = payload("click")
        same = read(xml.replace("<Event>", "<Extra>1</Extra><Event>")).delivery_key
        assert read(xml).delivery_key == same == "e:c46ef0b61ff3ac4e8b3b18ef"
        others = (
            xml.replace("oXbF21", "oXbF22"),
            xml.replace("1795276800", "1795276801"),
            xml.replace("menu.work_study", "menu.help"),
            xml.replace("CLICK", "VIEW"),
        )
        assert len({same, *(read(other).delivery_key for other in others)}) == 5

    def test_two_jobs_of_one_second_are_two_events(self) -> None:
        xml = payload("template_job_success")
        assert read(xml).delivery_key != read(xml.replace("200163836", "200163837")).delivery_key

    def test_event_name_case_does_not_matter(self) -> None:
        assert read(payload("scan")).delivery_key == read(payload("scan").replace("SCAN", "scan")).delivery_key
