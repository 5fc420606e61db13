"""One reader for each event or family of events, by its name in lower case: the platform's spelling varies."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, TypedDict, cast, get_args

from bot.wechat.fields import Fields
from bot.wechat.inbound import (
    AccountNotice,
    ArticleUrl,
    AuthorizationChanged,
    CopyrightCheckResult,
    CopyrightItem,
    Event,
    Followed,
    KfSession,
    LocationChosen,
    LocationReported,
    MassJobFinished,
    MenuClicked,
    MenuViewed,
    MiniProgramViewed,
    NoticeKind,
    PicturesChosen,
    PublishJobFinished,
    RawValue,
    ScanCode,
    Scanned,
    SubscribeDecided,
    SubscribeDecision,
    SubscribeOutcome,
    SubscribeSent,
    TemplateJobFinished,
    Unfollowed,
)

SCENE_PREFIX = "qrscene_"
_POPUP_SCENES: dict[str, Literal["h5", "article"]] = {"1": "h5", "2": "article"}


class EventCommon(TypedDict):
    """What every event has."""

    openid: str
    account: str
    created_s: int
    raw: Mapping[str, RawValue]
    event: str


def _followed(fields: Fields, common: EventCommon) -> Followed:
    scene = fields.text("EventKey").strip().removeprefix(SCENE_PREFIX)
    return Followed(**common, scene=scene or None, ticket=fields.optional("Ticket"))


def _unfollowed(_fields: Fields, common: EventCommon) -> Unfollowed:
    return Unfollowed(**common)


def _scanned(fields: Fields, common: EventCommon) -> Scanned:
    return Scanned(**common, scene=fields.required("EventKey"), ticket=fields.text("Ticket").strip())


def _menu_clicked(fields: Fields, common: EventCommon) -> MenuClicked:
    return MenuClicked(**common, key=fields.required("EventKey"))


def _menu_viewed(fields: Fields, common: EventCommon) -> MenuViewed:
    return MenuViewed(**common, url=fields.text("EventKey").strip(), menu_id=fields.optional("MenuId"))


def _mini_program_viewed(fields: Fields, common: EventCommon) -> MiniProgramViewed:
    page_path = fields.text("EventKey").strip()
    return MiniProgramViewed(**common, page_path=page_path, menu_id=fields.optional("MenuId"))


def _scan_code(kind: Literal["push", "waitmsg"], fields: Fields, common: EventCommon) -> ScanCode:
    info = fields.child("ScanCodeInfo")
    return ScanCode(
        **common,
        kind=kind,
        key=fields.required("EventKey"),
        scan_type=info.text("ScanType").strip(),
        result=info.text("ScanResult"),
    )


def _pictures_chosen(
    kind: Literal["sysphoto", "photo_or_album", "weixin"], fields: Fields, common: EventCommon
) -> PicturesChosen:
    info = fields.child("SendPicsInfo")
    sums = tuple(item.text("PicMd5Sum").strip() for item in info.items("PicList"))
    return PicturesChosen(
        **common, kind=kind, key=fields.required("EventKey"), count=info.integer("Count", len(sums)), md5_sums=sums
    )


def _location_chosen(fields: Fields, common: EventCommon) -> LocationChosen:
    info = fields.child("SendLocationInfo")
    return LocationChosen(
        **common,
        key=fields.required("EventKey"),
        latitude=info.decimal("Location_X"),
        longitude=info.decimal("Location_Y"),
        scale=info.text("Scale").strip(),
        label=info.text("Label"),
        poi_name=info.text("Poiname").strip(),
    )


def _location_reported(fields: Fields, common: EventCommon) -> LocationReported:
    return LocationReported(
        **common,
        latitude=fields.decimal("Latitude"),
        longitude=fields.decimal("Longitude"),
        precision=fields.decimal("Precision"),
    )


def _template_job_finished(fields: Fields, common: EventCommon) -> TemplateJobFinished:
    return TemplateJobFinished(**common, msg_id=fields.integer("MsgID"), status=fields.required("Status"))


def _mass_job_finished(fields: Fields, common: EventCommon) -> MassJobFinished:
    articles = fields.child("ArticleUrlResult").items("ResultList")
    return MassJobFinished(
        **common,
        msg_id=fields.integer("MsgID"),
        status=fields.required("Status"),
        total_count=fields.integer("TotalCount", 0),
        filter_count=fields.integer("FilterCount", 0),
        sent_count=fields.integer("SentCount", 0),
        error_count=fields.integer("ErrorCount", 0),
        copyright=_copyright(fields.child("CopyrightCheckResult")),
        article_urls=tuple(
            ArticleUrl(index=item.integer("ArticleIdx", 0), url=item.text("ArticleUrl").strip()) for item in articles
        ),
    )


def _copyright(result: Fields) -> CopyrightCheckResult | None:
    if not result.raw:
        return None
    return CopyrightCheckResult(
        check_state=result.integer("CheckState", 0),
        items=tuple(_copyright_item(item) for item in result.items("ResultList")),
    )


def _copyright_item(item: Fields) -> CopyrightItem:
    return CopyrightItem(
        article_index=item.integer("ArticleIdx", 0),
        user_declare_state=item.integer("UserDeclareState", 0),
        audit_state=item.integer("AuditState", 0),
        original_url=item.text("OriginalArticleUrl").strip(),
        original_type=item.integer("OriginalArticleType", 0),
        can_reprint=item.flag("CanReprint"),
        must_replace_content=item.flag("NeedReplaceContent"),
        must_show_source=item.flag("NeedShowReprintSource"),
    )


def _publish_job_finished(fields: Fields, common: EventCommon) -> PublishJobFinished:
    info = fields.child("PublishEventInfo")
    articles = info.child("article_detail").children("item")
    return PublishJobFinished(
        **common,
        publish_id=info.required("publish_id"),
        status=info.integer("publish_status"),
        article_id=info.optional("article_id"),
        article_urls=tuple(
            ArticleUrl(index=item.integer("idx", 0), url=item.text("article_url").strip()) for item in articles
        ),
        failed_indexes=tuple(Fields({"fail_idx": text}).integer("fail_idx") for text in info.texts("fail_idx")),
    )


def _subscribe_decided(element: str, fields: Fields, common: EventCommon) -> SubscribeDecided:
    changed = element == "SubscribeMsgChangeEvent"
    return SubscribeDecided(
        **common,
        changed=changed,
        items=tuple(
            SubscribeDecision(
                template_id=item.required("TemplateId"),
                accepted=item.text("SubscribeStatusString").strip().lower() == "accept",
                scene=_POPUP_SCENES.get(item.text("PopupScene").strip()),
            )
            for item in fields.child(element).items("List")
        ),
    )


def _subscribe_sent(fields: Fields, common: EventCommon) -> SubscribeSent:
    return SubscribeSent(
        **common,
        items=tuple(
            SubscribeOutcome(
                template_id=item.required("TemplateId"),
                msg_id=item.text("MsgID").strip(),
                error_code=item.signed("ErrorCode", 0),
                error_status=item.text("ErrorStatus").strip(),
            )
            for item in fields.child("SubscribeMsgSentEvent").items("List")
        ),
    )


def _authorization_changed(
    kind: Literal["modified", "revoked", "cancelled"], fields: Fields, common: EventCommon
) -> AuthorizationChanged:
    return AuthorizationChanged(
        **common,
        kind=kind,
        subject=fields.optional("OpenID") or common["openid"],
        app_id=fields.text("AppID").strip(),
        union_id=fields.optional("UnionID"),
        revoke_info=fields.text("RevokeInfo").strip(),
    )


def _kf_session(kind: Literal["created", "closed"], fields: Fields, common: EventCommon) -> KfSession:
    return KfSession(**common, kind=kind, kf_account=fields.text("KfAccount").strip())


def _kf_switched(fields: Fields, common: EventCommon) -> KfSession:
    return KfSession(
        **common,
        kind="switched",
        kf_account=fields.text("ToKfAccount").strip(),
        from_account=fields.optional("FromKfAccount"),
    )


def _account_notice(fields: Fields, common: EventCommon) -> AccountNotice:
    return AccountNotice(
        **common,
        kind=cast(NoticeKind, common["event"]),
        expires_s=fields.optional_integer("ExpiredTime"),
        failed_s=fields.optional_integer("FailTime"),
        reason=fields.text("FailReason").strip(),
    )


EVENT_READERS: Mapping[str, Callable[[Fields, EventCommon], Event]] = {
    "subscribe": _followed,
    "unsubscribe": _unfollowed,
    "scan": _scanned,
    "location": _location_reported,
    "click": _menu_clicked,
    "view": _menu_viewed,
    "view_miniprogram": _mini_program_viewed,
    "scancode_push": partial(_scan_code, "push"),
    "scancode_waitmsg": partial(_scan_code, "waitmsg"),
    "pic_sysphoto": partial(_pictures_chosen, "sysphoto"),
    "pic_photo_or_album": partial(_pictures_chosen, "photo_or_album"),
    "pic_weixin": partial(_pictures_chosen, "weixin"),
    "location_select": _location_chosen,
    "templatesendjobfinish": _template_job_finished,
    "masssendjobfinish": _mass_job_finished,
    "publishjobfinish": _publish_job_finished,
    "subscribe_msg_popup_event": partial(_subscribe_decided, "SubscribeMsgPopupEvent"),
    "subscribe_msg_change_event": partial(_subscribe_decided, "SubscribeMsgChangeEvent"),
    "subscribe_msg_sent_event": _subscribe_sent,
    "user_info_modified": partial(_authorization_changed, "modified"),
    "user_authorization_revoke": partial(_authorization_changed, "revoked"),
    "user_authorization_cancellation": partial(_authorization_changed, "cancelled"),
    "kf_create_session": partial(_kf_session, "created"),
    "kf_close_session": partial(_kf_session, "closed"),
    "kf_switch_session": _kf_switched,
    **dict.fromkeys(get_args(NoticeKind), _account_notice),
}
