"""Keywords while the NLU is away: good enough to register, cancel, ask for progress, a lawyer or a person."""

import pytest

from bot.understanding.keywords import keyword_rules, rank_by_keywords
from bot.understanding.models import INTENTS
from bot.understanding.rules import Lost, Sure, Unsure, decide

SURE = [
    ("我要报名勤工俭学", "register_work_study"),
    ("勒个暑假勤工俭学咋个报名嘛", "register_work_study"),
    ("帮我娃登记勤工俭学", "register_work_study"),
    ("勤工俭学", "register_work_study"),
    ("预约两癌筛查", "book_health_screening"),
    ("女职工体检咋个报名", "book_health_screening"),
    ("我想约妇检", "book_health_screening"),
    ("取消报名", "cancel_registration"),
    ("勤工俭学报名取消", "cancel_registration"),
    ("两癌我不去了", "cancel_registration"),
    ("查进度", "check_status"),
    ("我的勤工俭学审核过了没", "check_status"),
    ("报起好久了没消息", "check_status"),
    ("我要改时间", "change_registration"),
    ("手机号填错了", "change_registration"),
    ("老板欠我三个月工资不给", "consult_lawyer"),
    ("我要找律师", "consult_lawyer"),
    ("我遭公司开除了", "consult_lawyer"),
    ("律师要不要钱", "faq_legal_service"),
    ("试用期最长几个月", "faq_labour_law"),
    ("转人工", "handoff_human"),
    ("找个真人来", "handoff_human"),
    ("我要投诉", "complaint"),
    ("送外卖的怎么入会", "faq_membership"),
    ("困难职工怎么建档", "faq_hardship_aid"),
    ("医疗互助怎么报", "faq_mutual_aid"),
    ("消费券领不了", "faq_coupons"),
    ("书屋几点关门", "faq_reading_room"),
    ("篮球赛报名", "faq_events"),
    ("APP收不到验证码", "faq_app"),
    ("你们电话多少", "faq_contact"),
    ("你好", "greet"),
    ("再见", "goodbye"),
    ("谢谢", "thank"),
    ("要得", "affirm"),
    ("不得行", "deny"),
    ("菜单", "help"),
    ("你是机器人吗", "bot_challenge"),
    ("社保卡怎么补办", "out_of_scope"),
]


@pytest.mark.parametrize(("text", "intent"), SURE)
def test_plain_words_are_acted_on(text: str, intent: str) -> None:
    assert decide(rank_by_keywords(text)) == Sure(intent)


@pytest.mark.parametrize("text", ["", "嗯哼哼哼", "阿巴阿巴", "床前明月光"])
def test_other_words_are_lost(text: str) -> None:
    assert decide(rank_by_keywords(text)) == Lost()


def test_a_bare_topic_is_offered() -> None:
    asked = decide(rank_by_keywords("那个俭学是咋回事"))
    assert asked == Unsure(("faq_work_study",))


def test_every_rule_names_an_intent_and_a_weight() -> None:
    rules = keyword_rules()
    assert rules
    assert all(rule.intent in INTENTS and 0 < rule.weight <= 1 for rule in rules)


@pytest.mark.parametrize("service", ["勤工俭学", "两癌筛查", "法律咨询"])
def test_cancelling_is_never_taken_for_registering(service: str) -> None:
    assert decide(rank_by_keywords(f"{service}我要取消")) == Sure("cancel_registration")
