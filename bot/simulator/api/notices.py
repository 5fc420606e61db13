"""message/template/send and message/subscribe/bizsend."""

import secrets
from datetime import timedelta

from bot.simulator import pushes
from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.bubbles import TemplateBubble
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import Fields, JsonObject, JsonValue
from bot.simulator.models import Channel, Template
from bot.simulator.notices import shown_field

DEDUPE_LIFE = timedelta(minutes=10)


async def send_template(call: ApiCall) -> JsonObject:
    """Show a template message; the outcome follows as TEMPLATESENDJOBFINISH.

    The same client_msg_id for the same follower within ten minutes answers the first message's id again.
    """
    body = call.body()
    follower = call.follower(body.text("touser", ""))
    if not follower.subscribed:
        raise ApiFault(43004)
    template = _template(call, body.text("template_id", ""))
    bubble = _bubble(template, body)
    client_id = body.text("client_msg_id", "")
    key = f"template {follower.openid} {client_id}"
    sent = call.platform.sent_ids.get(key)
    if client_id and sent is not None and call.now - sent[1] < DEDUPE_LIFE:
        return {**OK, "msgid": sent[0]}
    msg_id = new_msg_id()
    if client_id:
        call.platform.sent_ids[key] = (msg_id, call.now)
    if not follower.blocks_templates:
        call.platform.show(follower.openid, Channel.TEMPLATE, bubble)
    status = "failed:user block" if follower.blocks_templates else "success"
    call.platform.tell_later(follower.openid, pushes.template_finished(msg_id, status))
    return {**OK, "msgid": msg_id}


async def send_subscribe(call: ApiCall) -> JsonObject:
    """Show a subscribe notification to somebody who accepted it; the outcome follows as an event."""
    body = call.body()
    follower = call.follower(body.text("touser", ""))
    template = _template(call, body.text("template_id", ""))
    bubble = _bubble(template, body)
    accepted = follower.opt_ins.get(template.template_id, 0)
    if accepted < 1:
        raise ApiFault(43101)
    follower.opt_ins[template.template_id] = accepted - 1
    call.platform.show(follower.openid, Channel.SUBSCRIBE, bubble)
    call.platform.tell_later(follower.openid, pushes.subscribe_sent(template.template_id, new_msg_id()))
    return OK


async def list_templates(call: ApiCall) -> JsonObject:
    """Return the account's templates."""
    listed: list[JsonValue] = [
        {
            "template_id": one.template_id,
            "title": one.title,
            "content": "\n".join(f"{{{{{name}.DATA}}}}" for name in one.labels),
        }
        for one in call.platform.config.templates
    ]
    return {"template_list": listed}


def new_msg_id() -> int:
    """Return the id of a message the account sent."""
    return secrets.randbelow(9 * 10**17) + 10**17


def _template(call: ApiCall, template_id: str) -> Template:
    known = {one.template_id: one for one in call.platform.config.templates}
    if not template_id or (known and template_id not in known):
        raise ApiFault(40037)
    return known.get(template_id, Template(template_id, "服务通知"))


def _bubble(template: Template, body: Fields) -> TemplateBubble:
    data = body.object("data")
    shown: list[tuple[str, str]] = []
    for name in data:
        if template.labels and name not in template.labels:
            raise ApiFault(47003, f"argument invalid! data.{name} is not a field of the template")
        value = shown_field(name, data.object(name).text("value", ""))
        if value is not None:
            shown.append((template.labels.get(name, name), value))
    mini_program = body.object("miniprogram").text("pagepath", "") if "miniprogram" in body else ""
    return TemplateBubble(template.template_id, template.title, tuple(shown), body.text("url", ""), mini_program)


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/message/template/send", send_template, daily_limit=100_000),
    Endpoint("POST", "/cgi-bin/message/subscribe/bizsend", send_subscribe, daily_limit=100_000),
    Endpoint("GET", "/cgi-bin/template/get_all_private_template", list_templates),
)
