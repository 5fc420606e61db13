"""Work-study posts as choices."""

from collections.abc import Sequence

from bot.dialogue.events import Event, Option, Reject, SlotValue
from bot.registrations.outcomes import FreePost
from bot.values.counties import County
from bot.values.problem import Problem

POSTS_MAX = 3


def county_options(posts: Sequence[FreePost]) -> tuple[Option, ...]:
    """Return the counties of ``posts``; the value is the county's code."""
    counties = [County.by_code(code) for code in dict.fromkeys(post.county for post in posts)]
    return tuple(Option(county.code, county.short, (county.full_name,)) for county in counties)


def post_options(posts: Sequence[FreePost]) -> tuple[Option, ...]:
    """Return ``posts`` with how many each takes; the value is the post's number."""
    return tuple(Option(str(post.post_id), f"{post.unit}·{post.title}", note=f"{post.places}人") for post in posts)


def refuse_without_posts(county: str, posts: Sequence[FreePost]) -> Sequence[Event]:
    """Return the refusal of a county (its code) without posts, nothing for one that has some."""
    if any(post.county == county for post in posts):
        return []
    return [Reject(Problem("ws.no_posts_there", {"county": County.by_code(county).short}))]


def refuse_too_many(chosen: SlotValue) -> Sequence[Event]:
    """Return the refusal of more posts than may be named, nothing for a list that is short enough."""
    if isinstance(chosen, list) and len(chosen) > POSTS_MAX:
        return [Reject(Problem("ws.too_many_posts", {"max": POSTS_MAX}))]
    return []
