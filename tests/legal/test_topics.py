"""Recognising the topic in what workers tell. The sentences are made up for this test."""

import pytest

from bot.legal.topics import Handling, Recognised, TopicCatalogue, Unrecognised

TOLD = [
    ("W1", "包工头失联了，我们两个月的工钱一分没得"),
    ("W1", "厂里拖欠我工资半年了"),
    ("W1", "他打了张欠条给我就不见人了"),
    ("W1", "活路干完快三个月，就是不结账不给钱"),
    ("W1", "老板压起一个月工资不发"),
    ("W2", "每天干十二个小时，加班费从来不给"),
    ("W2", "春节值班三天只按平时算"),
    ("W2", "两班倒一个月休不到一天"),
    ("W3", "上了八个月班都没和我签过合同"),
    ("W3", "试用期都四个月了还不转正"),
    ("W4", "没得理由就喊我明天不用来了"),
    ("W4", "公司说优化把我裁员了，补偿金给得少"),
    ("W4", "逼我写离职申请"),
    ("W5", "干了三年社保一直没交过"),
    ("W5", "单位不给我交公积金"),
    ("W6", "在车间手指被冲床夹断了"),
    ("W6", "下班途中骑车摔了，能不能认工伤"),
    ("W6", "工地上摔下来腿骨折，老板想私了"),
    ("W7", "打磨车间干了十年，现在老是咳，怕是尘肺"),
    ("W7", "长期在噪音大的地方，耳朵听不清了，是不是职业病"),
    ("W8", "怀孕五个月被调去搬货"),
    ("W8", "休产假回来岗位没了"),
    ("W8", "车间主任对我动手动脚"),
    ("W9", "年假从来没休过"),
    ("W9", "婚假单位不批"),
    ("W10", "竞业限制不准我去同行"),
    ("W10", "服务期没满要我赔违约金"),
    ("W11", "合同是跟劳务派遣公司签的，出了事两边推"),
    ("W12", "我是骑手，平台无故封我号"),
    ("W12", "送外卖超时扣了我一百"),
    ("W13", "我六十三岁还在打工，到底算不算职工"),
    ("W13", "到退休年龄了社保没满十五年"),
    ("W14", "朋友借我两万块钱不还"),
    ("W14", "想离婚，娃儿的抚养权归哪个"),
    ("W14", "房东押金不退"),
    ("W15", "我老公喝了酒就打我"),
    ("W15", "他们把我关起不准我走"),
    ("W15", "我遭老板打了"),
]


@pytest.mark.parametrize(("code", "told"), TOLD, ids=[told for _, told in TOLD])
def test_the_topic_is_recognised(topics: TopicCatalogue, code: str, told: str) -> None:
    recognised = topics.recognise(told)
    assert isinstance(recognised, Recognised)
    assert recognised.code == code


@pytest.mark.parametrize(
    "said", ["今天天气好", "勤工俭学咋个报名", "两癌筛查还有号没", "谢谢你", "消费券在哪点领", "", "？？"]
)
def test_other_things_show_no_topic(topics: TopicCatalogue, said: str) -> None:
    assert topics.recognise(said) == Unrecognised()


def test_width_and_spaces_make_no_difference(topics: TopicCatalogue) -> None:
    assert topics.recognise("Ｎ＋１ 是 什么") == topics.recognise("n+1是什么")


def test_two_topics_in_one_story_lower_the_confidence(topics: TopicCatalogue) -> None:
    clear = topics.recognise("拖欠工资三个月")
    mixed = topics.recognise("拖欠工资三个月，现在又把我开除了")
    assert isinstance(clear, Recognised)
    assert isinstance(mixed, Recognised)
    assert clear.confidence_percent > mixed.confidence_percent
    assert {mixed.code, *mixed.alternatives} == {"W1", "W4"}


def test_a_weak_sign_alone_is_not_sure(topics: TopicCatalogue) -> None:
    weak = topics.recognise("我们老板哦")
    assert isinstance(weak, Recognised)
    assert weak.confidence_percent < 50


def test_all_fifteen_topics_are_there_and_complete(topics: TopicCatalogue) -> None:
    assert [topic.code for topic in topics] == [f"W{number}" for number in range(1, 16)]
    for topic in topics:
        assert topic.signs
        asks = topic.handling is not Handling.CRISIS
        assert bool(topic.facts) == asks, topic.code
        assert all(fact.label for fact in topic.facts), topic.code
