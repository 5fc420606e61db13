"""Scores for entries over n-grams, sounds and the meaning of sentences."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.knowledge.likeness import WITH_MEANING, WITHOUT_MEANING, EntryVotes, QuestionSpace, product
from bot.knowledge.ngrams import Floats
from bot.knowledge.scores import Scores
from bot.knowledge.wording import normalise
from bot.understanding.embedding import Embedding, NoEmbedding

ASK_BUDGET_S = 0.5
"""How long a turn waits for the vector of its text. The server has just parsed the same text and remembers it."""
INDEX_BUDGET_S = 120.0
EXACT = 1.0


@dataclass(slots=True)
class _Index:
    """One state of the entries. Votes are worked out when they are first needed, with or without meaning."""

    questions: Mapping[str, tuple[str, ...]]
    space: QuestionSpace
    exact: Mapping[str, str]
    encoder: str = ""
    vectors: Floats | None = None
    votes: dict[bool, EntryVotes] = field(default_factory=dict)


class HybridRetriever:
    """Asks the embedding for the meaning of texts, and does with their n-grams alone while it is away.

    Holds about 4 kB a question; working an index out takes the better part of a second for 3,000 questions, in a
    thread. ``scores`` takes about a millisecond beside the request to the embedding.
    """

    def __init__(self, embedding: Embedding | None = None) -> None:
        self._embedding = embedding or NoEmbedding()
        self._index: _Index | None = None
        self._building = asyncio.Lock()

    @property
    def is_complete(self) -> bool:
        """Whether all questions have vectors of the present encoder."""
        index = self._index
        return index is not None and (index.vectors is not None or not index.space.texts)

    async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        """Index anew; vectors of questions that were there before are kept."""
        wanted = {code: tuple(said) for code, said in questions.items()}
        async with self._building:
            before = self._index
            embedded = await self._embed([text for said in wanted.values() for text in said])
            if before is not None and embedded is None and before.questions == wanted:
                return
            index = await asyncio.to_thread(_index, wanted)
            if embedded is not None:
                index.encoder, index.vectors = embedded
            if index.space.texts:
                await self._work_out(index, with_meaning=embedded is not None)
            self._index = index

    async def scores(self, text: str) -> Scores:
        """Return the scores for ``text``."""
        index = self._index
        plain = normalise(text)
        if index is None or not plain or not index.space.texts:
            return Scores({}, with_meaning=False)
        meaning = await self._meaning(index, text)
        with_meaning = meaning is not None
        if with_meaning not in index.votes:
            async with self._building:
                await self._work_out(index, with_meaning=with_meaning)
        votes = index.votes[with_meaning]
        weights = WITH_MEANING if with_meaning else WITHOUT_MEANING
        scores = votes.scores(index.space.likeness(text, weights, meaning))
        by_code = dict(zip(index.space.codes, scores.tolist(), strict=True))
        if plain in index.exact:
            by_code[index.exact[plain]] = EXACT
        return Scores(by_code, with_meaning)

    async def _meaning(self, index: _Index, text: str) -> Floats | None:
        if index.vectors is None:
            return None
        embedded = await self._embedding.vectors([text], ASK_BUDGET_S)
        if embedded is None:
            return None
        if embedded.encoder != index.encoder:
            index.vectors = None  # Not complete any more: the questions are embedded anew by the next rebuild.
            return None
        return product(index.vectors, embedded.vectors[0])

    async def _work_out(self, index: _Index, *, with_meaning: bool) -> None:
        if with_meaning not in index.votes:
            index.votes[with_meaning] = await asyncio.to_thread(_votes, index, with_meaning=with_meaning)

    async def _embed(self, texts: Sequence[str]) -> tuple[str, Floats] | None:
        before = self._index
        known: dict[str, Floats] = {}
        encoder = ""
        if before is not None and before.vectors is not None:
            known, encoder = dict(zip(before.space.texts, before.vectors, strict=True)), before.encoder
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if fresh:
            embedded = await self._embedding.vectors(fresh, INDEX_BUDGET_S)
            if embedded is not None and known and embedded.encoder != encoder:
                fresh = list(dict.fromkeys(texts))
                embedded = await self._embedding.vectors(fresh, INDEX_BUDGET_S)
            if embedded is None:
                return None
            encoder = embedded.encoder
            known.update(zip(fresh, embedded.vectors, strict=True))
        return (encoder, np.stack([known[text] for text in texts])) if texts else None


def _index(questions: Mapping[str, tuple[str, ...]]) -> _Index:
    space = QuestionSpace(questions)
    exact: dict[str, str] = {}
    for code, said in questions.items():
        for text in said:
            plain = normalise(text)
            exact[plain] = code if exact.get(plain, code) == code else ""
    return _Index(questions, space, {plain: code for plain, code in exact.items() if plain and code})


def _votes(index: _Index, *, with_meaning: bool) -> EntryVotes:
    weights = WITH_MEANING if with_meaning else WITHOUT_MEANING
    likeness = index.space.own_likeness(weights, index.vectors if with_meaning else None)
    return EntryVotes(index.space, likeness, weights)
